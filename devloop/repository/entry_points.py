"""Where Flux enters a repository without a KSail definition: the paths in the files of `flux bootstrap` and in FluxInstances.

That is enough to validate and render; `up` needs a definition.
"""

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

# The file that `flux bootstrap` writes below the entry path: https://fluxcd.io/flux/installation/bootstrap/
_SYNC = "flux-system/gotk-sync.yaml"

# A FluxInstance, or the values of the flux-instance chart: https://fluxcd.control-plane.io/operator/flux-sync/
_INSTANCE = re.compile(r"^\s*(kind: *FluxInstance\b|instance:)", re.MULTILINE)
_SKIPPED = frozenset({".git", "node_modules", ".venv"})


def entries(root: Path) -> tuple[Environment, ...]:
    """One environment per entry path, named after its folder, sorted."""
    found = {entry: source for entry, source in _entry_paths(root) if (root / entry).is_dir()}
    folders = [posixpath.basename(entry) for entry in found]
    result = []
    for entry, source in found.items():
        name = posixpath.basename(entry) if folders.count(posixpath.basename(entry)) == 1 else entry.replace("/", "-")
        result.append(Environment(name, root, ClusterDefinition(name, "", source, source_directory=".", entry_path=entry)))
    return tuple(sorted(result, key=lambda environment: environment.name))


def _entry_paths(root: Path) -> Iterator[tuple[str, str]]:
    """Entry paths with the files that name them, in the order of the files."""
    for path in _manifests(root):
        if path.endswith("/" + _SYNC):
            yield path.removesuffix("/" + _SYNC), path
        else:
            yield from ((entry, path) for entry in _instances(root, path))


def _manifests(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        relative = os.path.relpath(folder, root)
        yield from (posixpath.normpath(posixpath.join(relative, name)) for name in sorted(names) if name.endswith((".yaml", ".yml")))


def _instances(root: Path, path: str) -> Iterator[str]:
    """The sync paths of FluxInstances in the file; none if it cannot be read."""
    try:
        text = read_input(root / path, path)
    except InputError:
        return
    if _INSTANCE.search(text) and "sync:" in text:
        yield from filter(None, map(_sync_path, _documents(text)))


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
    """The environments that can be validated: those with a definition, or else one per entry path."""
    return environments(root) or tuple(without_definition(root))


def without_definition(root: Path) -> dict[str, Environment]:
    """The environments of a repository without a definition, by name."""
    return {} if environments(root) else {environment.name: environment for environment in entries(root.resolve())}


def load(root: Path, name: str, definition: Path | None = None, known: Mapping[str, Environment] | None = None) -> Environment:
    """The environment `name`; raises InputError as `load_environment` does. `known` is the result of `without_definition`, if at hand."""
    found = {} if definition else without_definition(root) if known is None else known
    if name in found:
        return found[name]
    if found:
        raise InputError(f"no environment {quote(name)} in {root}; Flux enters it at {join_words(list(found))}")
    return load_environment(root, name, definition)
