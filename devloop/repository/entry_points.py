"""Where Flux enters a repository that has no KSail definition: what `flux bootstrap` and FluxInstances leave says it.

Enough to validate and to render such a repository; to bring an environment up takes a definition.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.messages import join_words, quote
from devloop.repository.environments import environments, load_environment
from devloop.repository.input_files import read_input

# What `flux bootstrap` writes below the entry path: https://fluxcd.io/flux/installation/bootstrap/
_SYNC = "flux-system/gotk-sync.yaml"

# A FluxInstance, or the values that the chart of that name makes one of: https://fluxcd.control-plane.io/operator/flux-sync/
_INSTANCE = re.compile(r"^\s*(kind: *FluxInstance\b|instance:)", re.MULTILINE)
_ASIDE = frozenset({".git", "node_modules", ".venv"})


def entries(root: Path) -> tuple[Environment, ...]:
    """One environment for each entry path, named after its folder, sorted; none where nothing says one."""
    found = {entry: source for entry, source in _found(root) if (root / entry).is_dir()}
    folders = [posixpath.basename(entry) for entry in found]
    made = (_environment(root, entry, source, alone=folders.count(posixpath.basename(entry)) == 1) for entry, source in found.items())
    return tuple(sorted(made, key=lambda environment: environment.name))


def _environment(root: Path, entry: str, source: str, *, alone: bool) -> Environment:
    name = posixpath.basename(entry) if alone else entry.replace("/", "-")
    return Environment(name, root, ClusterDefinition(name, "", source, source_directory=".", entry_path=entry))


def _found(root: Path) -> Iterator[tuple[str, str]]:
    """Entry paths with the files that say so, in the order of the files."""
    for path in _manifests(root):
        if path.endswith("/" + _SYNC):
            yield path.removesuffix("/" + _SYNC), path
        else:
            for entry in _instances(root, path):
                yield entry, path


def _manifests(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _ASIDE)
        relative = os.path.relpath(folder, root)
        yield from (posixpath.normpath(posixpath.join(relative, name)) for name in sorted(names) if name.endswith((".yaml", ".yml")))


def _instances(root: Path, path: str) -> Iterator[str]:
    """The paths that FluxInstances in the file synchronise; a file that cannot be read has none."""
    try:
        text = read_input(root / path, path)
    except InputError:
        return
    if _INSTANCE.search(text) and "sync:" in text:
        for document in _documents(text):
            entry = _sync_path(document)
            if entry:
                yield entry


def _documents(text: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def _sync_path(document: Any) -> str:
    """spec.sync.path of a FluxInstance, spec.values.instance.sync.path of its HelmRelease; '' for anything else."""
    spec = _field(document, "spec")
    sync = _field(spec, "sync") if _field(document, "kind") == "FluxInstance" else _field(spec, "values", "instance", "sync")
    path = _field(sync, "path")
    normal = posixpath.normpath(path) if isinstance(path, str) else ""
    return "" if normal.startswith(("/", "..")) else normal


def _field(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def names(root: Path) -> tuple[str, ...]:
    """The environments that can be validated: those with a definition, else where Flux enters."""
    return environments(root) or tuple(without_definition(root))


def without_definition(root: Path) -> dict[str, Environment]:
    """The environments of a repository without any definition, by their names."""
    return {} if environments(root) else {environment.name: environment for environment in entries(root.resolve())}


def load(root: Path, name: str, definition: Path | None = None, known: Mapping[str, Environment] | None = None) -> Environment:
    """The environment `name`, by its definition where the repository has any; raises InputError as `load_environment` does.

    `known` is what `undefined` gives, where somebody has asked already.
    """
    found = {} if definition else without_definition(root) if known is None else known
    if name in found:
        return found[name]
    if found:
        raise InputError(f"no environment {quote(name)} in {root}, Flux enters it at {join_words(list(found))}")
    return load_environment(root, name, definition)
