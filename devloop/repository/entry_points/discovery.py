"""Finds where Flux enters a repository. Later ways never change what an earlier one found.

(a) What says so: FluxInstances, the values of their chart, the files of `flux bootstrap`. (b) Kustomizations that apply their own file.
(c) Folders beside a known entry with the same shape. (d) Where nothing else was found: the folders of Kustomizations that no other applies.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from devloop.model.lint.file_index import above, is_aside
from devloop.repository.entry_points.flux_files import FluxFiles

# The file that `flux bootstrap` writes below the entry path: https://fluxcd.io/flux/installation/bootstrap/
_SYNC = "flux-system/gotk-sync.yaml"


@dataclass(frozen=True)
class EntryPoint:
    """`path` is the folder of the entry, and paths in it count from `base`, both relative to the repository; `file` says so."""

    path: str
    file: str
    base: str = "."


def discover(files: FluxFiles, known: Mapping[str, str]) -> tuple[EntryPoint, ...]:
    """All entries but the `known` ones of definitions: path -> the folder that paths in it count from."""
    found: dict[str, EntryPoint] = {}

    def add(entries: Iterable[EntryPoint]) -> None:
        for entry in entries:
            if entry.path not in known and files.is_folder(entry.path):
                found.setdefault(entry.path, entry)

    add(_said(files))
    add(_self_references(files, [*known, *found]))
    add(_siblings(files, {**known, **{path: entry.base for path, entry in found.items()}}))
    if not found and not known:
        add(_forest(files))
    return tuple(found.values())


def _said(files: FluxFiles) -> Iterator[EntryPoint]:
    syncs = (file for file in files.manifests if file.endswith("/" + _SYNC))
    for file in syncs:
        folder = file.removesuffix("/" + _SYNC)
        paths = [_normal(each.path) for each in files.parsed(file) if each.path]
        yield EntryPoint(folder, file, next((base for path in paths if (base := _without(folder, path))), "."))
    for file, path in files.instances:
        if normal := _normal(path):
            base = _base(files, file, normal)
            yield EntryPoint(posixpath.normpath(posixpath.join(base, normal)), file, base)


def _self_references(files: FluxFiles, known: Collection[str]) -> list[EntryPoint]:
    candidates = [entry for file, paths in files.kustomizations.items() for entry in _own_folders(files, file, paths)]
    applied = {entry.path: files.read_by(entry.path) for entry in candidates} | {path: files.read_by(path) for path in known}
    # What another one applies is not where Flux enters.
    return [entry for entry in candidates if not any(entry.file in read for path, read in applied.items() if path != entry.path)]


def _own_folders(files: FluxFiles, file: str, paths: Iterable[str]) -> Iterator[EntryPoint]:
    """The folders that Kustomizations in the file apply and that hold the file."""
    for path in filter(None, map(_normal, paths)):
        for base in (".", *above(file)) if "/" in path else (".",):
            folder = posixpath.normpath(posixpath.join(base or ".", path))
            if (file.startswith(f"{folder}/") or folder == ".") and files.is_folder(folder):
                if file in files.read_by(folder) and any(_normal(each.path) == path and each.may_be_own for each in files.parsed(file)):
                    yield EntryPoint(folder, file, base or ".")
                break


def _siblings(files: FluxFiles, known: Mapping[str, str]) -> Iterator[EntryPoint]:
    applied = {path for paths in files.kustomizations.values() for path in map(_normal, paths)}
    read = frozenset().union(*(files.read_by(path) for path in known))
    for entry, base in known.items():
        parent, shape = posixpath.dirname(entry), _shape(files, entry)
        for folder in filter(files.is_folder, files.entries(parent) if parent and shape else ()):
            own = files.kustomization_file(folder)
            if folder not in applied and not is_aside(folder) and own not in read and _shape(files, folder) == shape:
                told_by = own or min(name for name in files.read_by(folder) if name in files.kustomizations)
                if not any(other == folder or other.startswith(f"{folder}/") for other in known) and told_by not in read:
                    yield EntryPoint(folder, told_by, base)


def _shape(files: FluxFiles, folder: str) -> tuple[bool, bool] | None:
    """Whether it has a kustomization file and a folder of Flux; None if its build has no Kustomization of Flux."""
    candidates = (file for file in sorted(files.read_by(folder)) if file in files.kustomizations)
    if not any(each.path for file in candidates for each in files.parsed(file)):
        return None
    return bool(files.kustomization_file(folder)), files.is_folder(posixpath.join(folder, "flux-system"))


def _forest(files: FluxFiles) -> Iterator[EntryPoint]:
    """The folders that no other one applies, and the first of those that apply each other in a circle."""
    trees: dict[str, str] = {}  # folder -> its first file
    paths: dict[str, set[str]] = {}
    for file in files.kustomizations:
        for each in files.parsed(file):
            if each.source[1] and each.may_be_own:
                folder = posixpath.dirname(file) or "."
                trees.setdefault(folder, file)
                paths.setdefault(folder, {folder}).add(_normal(each.path) or ".")
    applies = {folder: _applied_by(files, trees, paths[folder]) - {folder} for folder in trees}
    applied = frozenset().union(*applies.values())
    seen: set[str] = set()
    for folder in [*(each for each in trees if each not in applied), *trees]:
        if folder not in seen:
            seen |= _below(folder, applies)
            yield EntryPoint(folder, trees[folder])


def _applied_by(files: FluxFiles, trees: Mapping[str, str], paths: Iterable[str]) -> set[str]:
    """The folders with Kustomizations that builds of the paths read."""
    read = frozenset().union(*(files.read_by(path) for path in paths if files.is_folder(path)))
    return {folder for folder in trees if trees[folder] in read}


def _below(folder: str, applies: Mapping[str, Collection[str]]) -> set[str]:
    """The folder and all that it leads to."""
    found, following = {folder}, [folder]
    while following:
        new = set(applies[following.pop()]) - found
        found |= new
        following += new
    return found


def _base(files: FluxFiles, file: str, path: str) -> str:
    """The repository, or the folder around the file in which the path exists: a repository of its own."""
    folders = (".", *(folder or "." for folder in above(file)))
    return next((folder for folder in folders if files.is_folder(posixpath.join(folder, path))), ".")


def _without(folder: str, path: str) -> str:
    """What is before `path` in `folder`, '' if it does not end with that."""
    if path in ("", "."):
        return ""
    return "." if folder == path else folder.removesuffix(f"/{path}") if folder.endswith(f"/{path}") else ""


def _normal(path: str) -> str:
    """Relative to the base; '' for a path that leaves it."""
    normal = posixpath.normpath(path.lstrip("/") or ".") if path else ""
    return "" if normal.startswith("..") or "${" in normal else normal
