"""The repository's files with Flux's Kustomizations, FluxInstances and the values of their chart; each is read and parsed once."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from devloop.errors import InputError
from devloop.model.flux.names import GIT_REPOSITORY, KUSTOMIZATION, KUSTOMIZE_GROUP, ROOT
from devloop.model.flux.setup import flux_instance
from devloop.model.kubernetes.kustomize import KUSTOMIZATION_FILES
from devloop.model.lint.file_index import is_aside
from devloop.repository.input_files import read_input

# A FluxInstance, or the values of the flux-instance chart: https://fluxcd.control-plane.io/operator/flux-sync/
_INSTANCE = re.compile(r"^\s*(kind: *FluxInstance\b|instance:)", re.MULTILINE)
_PATH = re.compile(r"""^[\s-]*["']?path["']?: *["']?([^"'#\s]+)""", re.MULTILINE)
_SKIPPED = frozenset({".git", "node_modules", ".venv"})
# The fields of a kustomization file that name files and folders: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
_FILES = ("resources", "components", "bases", "crds", "generators", "transformers", "validators", "patchesStrategicMerge")
_WITH_PATH = ("patches", "patchesJson6902", "replacements")


@dataclass(frozen=True)
class KustomizationFile:
    """A document that is a Flux Kustomization, or a patch of one; `path` as written, `source` is the kind and the name of its source."""

    file: str
    name: str
    path: str
    source: tuple[str, str] = ("", "")

    @property
    def may_be_own(self) -> bool:
        """Whether its source may be this repository: of the name that Flux gives it, or Git."""
        kind, name = self.source
        return kind in ("", GIT_REPOSITORY) or name == ROOT.name


@dataclass
class FluxFiles:
    """Paths are relative to `root`, normal and without a leading './'."""

    root: Path
    _texts: dict[str, str] = field(default_factory=dict)
    _documents: dict[str, list[Any]] = field(default_factory=dict)
    _kustomization_files: dict[str, str] = field(default_factory=dict)
    _read: dict[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def manifests(self) -> tuple[str, ...]:
        """All YAML files that are not aside, folder by folder."""
        return tuple(self._walk("."))

    @cached_property
    def kustomizations(self) -> Mapping[str, tuple[str, ...]]:
        """Files that mention Flux's Kustomizations, with the values of everything in them called `path`."""
        texts = ((file, self.text(file)) for file in self.manifests)
        return {file: tuple(_PATH.findall(text)) for file, text in texts if KUSTOMIZE_GROUP in text}

    @cached_property
    def instances(self) -> tuple[tuple[str, str], ...]:
        """Files with the sync path of a FluxInstance, as written."""
        texts = ((file, self.text(file)) for file in self.manifests)
        candidates = [file for file, text in texts if "sync:" in text and _INSTANCE.search(text)]
        return tuple((file, path) for file in candidates for path in self._sync_paths(file) if path)

    def text(self, file: str) -> str:
        """'' for a file that cannot be read, and for no file."""
        if file not in self._texts:
            try:
                self._texts[file] = read_input(self.root / file, file)
            except InputError:
                self._texts[file] = ""
        return self._texts[file]

    def _sync_paths(self, file: str) -> Iterator[str]:
        for document in self.documents(file):
            if isinstance(document, dict):
                yield _text(_field(flux_instance(document), "sync", "path"))

    def documents(self, file: str) -> list[Any]:
        if file not in self._documents:
            self._documents[file] = documents(self.text(file))
        return self._documents[file]

    def parsed(self, file: str) -> Iterator[KustomizationFile]:
        """The Flux Kustomizations in the file."""
        for document in self.documents(file):
            if _field(document, "kind") == KUSTOMIZATION and str(_field(document, "apiVersion")).startswith(KUSTOMIZE_GROUP):
                name, spec, source = _field(document, "metadata", "name"), _field(document, "spec"), _field(document, "spec", "sourceRef")
                reference = (_text(_field(source, "kind")), _text(_field(source, "name")))
                yield KustomizationFile(file, str(name), _text(_field(spec, "path")), reference)

    def is_folder(self, path: str) -> bool:
        """A link is none: Flux leaves links out, and they may lead back to where they are."""
        try:
            return stat.S_ISDIR((self.root / path).lstat().st_mode)
        except OSError:
            return False

    def kustomization_file(self, folder: str) -> str:
        """'' for a folder without one."""
        if folder not in self._kustomization_files:
            names = (posixpath.normpath(posixpath.join(folder, name)) for name in KUSTOMIZATION_FILES)
            self._kustomization_files[folder] = next((name for name in names if self._is_file(name)), "")
        return self._kustomization_files[folder]

    def _is_file(self, path: str) -> bool:
        try:
            return stat.S_ISREG((self.root / path).lstat().st_mode)
        except OSError:
            return False

    def read_by(self, folder: str) -> frozenset[str]:
        """The files that the build of a folder reads, like Flux: without a kustomization file all below, folder by folder.

        Nothing of a folder that cannot be built, because there are components in it.
        """
        if folder not in self._read:
            found: set[str] = set()
            builds = self._visit(folder, found, set())
            self._read[folder] = frozenset(found if builds else ())
        return self._read[folder]

    def _visit(self, folder: str, found: set[str], visited: set[str]) -> bool:
        """Whether it can be built."""
        if folder in visited:
            return True
        visited.add(folder)
        if not (own := self.kustomization_file(folder)):
            entries = self.entries(folder)
            return not any(map(self._is_component, entries)) and all(self._take(name, found, visited) for name in entries)
        found.add(own)
        for document in self.documents(own):
            for name in _references(document):
                self._take(posixpath.normpath(posixpath.join(folder, name)), found, visited)
        return True

    def _take(self, path: str, found: set[str], visited: set[str]) -> bool:
        if not path.startswith("..") and self.is_folder(path):
            return self._visit(path, found, visited)
        if path.endswith((".yaml", ".yml")):
            found.add(path)
        return True

    def _is_component(self, folder: str) -> bool:
        return "kind: Component" in self.text(self.kustomization_file(folder))

    def entries(self, folder: str) -> list[str]:
        """The paths of what is in a folder, without links, sorted; nothing for one that cannot be read."""
        try:
            names = sorted(path.name for path in (self.root / folder).iterdir() if not path.is_symlink())
        except OSError:
            return []
        return [posixpath.normpath(posixpath.join(folder, name)) for name in names if name not in _SKIPPED]

    def _walk(self, folder: str) -> Iterator[str]:
        for here, folders, names in os.walk(self.root / folder):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and not is_aside(name))
            relative = os.path.relpath(here, self.root)
            yield from (posixpath.normpath(posixpath.join(relative, name)) for name in sorted(names) if name.endswith((".yaml", ".yml")))


def documents(text: str) -> list[Any]:
    """Those of a YAML file; none if it cannot be read."""
    import yaml

    try:
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def _references(document: Any) -> Iterator[str]:
    for key in _FILES:
        listed = _field(document, key)
        yield from (name for name in (listed if isinstance(listed, list) else ()) if isinstance(name, str) and "\n" not in name)
    for key in _WITH_PATH:
        listed = _field(document, key)
        paths = (_field(item, "path") for item in (listed if isinstance(listed, list) else ()))
        yield from (path for path in paths if isinstance(path, str))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _field(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
