"""All environments of a repository: those of devloop.yaml, of KSail definitions, and of the entries that Flux has without one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import Hint, command
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment, NamedEnvironment
from devloop.model.lint.settings import PATH as SETTINGS
from devloop.model.messages import join_words, quote, suggestions
from devloop.repository.entry_points.discovery import EntryPoint, discover
from devloop.repository.entry_points.flux_files import FluxFiles
from devloop.repository.environments import environments, load_environment
from devloop.repository.settings import load_environments


def names(root: Path) -> tuple[str, ...]:
    """All environments: those that devloop.yaml names, those with a definition, and the others, each sorted."""
    return (*defined(root), *undefined(root))


def defined(root: Path) -> tuple[str, ...]:
    """The environments that devloop.yaml names or that have a definition."""
    return tuple(dict.fromkeys((*sorted(load_environments(root)), *environments(root))))


def undefined(root: Path) -> dict[str, Environment]:
    """The environments that only the repository's files show, by name."""
    root = root.resolve()
    known = {environment.entry_path: posixpath.normpath(environment.definition.source_directory) for environment in _loadable(root)}
    named = _named(discover(FluxFiles(root), known), taken=defined(root))
    return {name: _environment(root, name, entry) for name, entry in sorted(named.items())}


def load(
    root: Path, name: str, definition: Path | None = None, path: Path | None = None, known: Mapping[str, Environment] | None = None
) -> Environment:
    """The environment `name`, with the entry at the folder `path` if given; raises InputError as `load_environment` does.

    `known` is the result of `undefined`, if at hand.
    """
    root = root.resolve()
    if definition or name in defined(root):
        return _entered(_load_defined(root, name, definition), path)
    if path:
        return _entered(_environment(root, name, EntryPoint(".", "")), path)
    found = undefined(root) if known is None else known
    if name in found:
        return found[name]
    try:
        return load_environment(root, name)
    except InputError as error:
        if error.problems or not (others := sorted([*defined(root), *found])):
            raise
        raise _unknown(root, name, others) from None


def _load_defined(root: Path, name: str, definition: Path | None) -> Environment:
    named = None if definition else load_environments(root).get(name)
    if named is None:
        return load_environment(root, name, definition)
    if named.definition or name in environments(root):
        loaded = load_environment(root, name, root / named.definition if named.definition else None)
    elif named.path:
        loaded = Environment(name, root, ClusterDefinition(_cluster_name(name), "", SETTINGS))
    else:
        raise InputError.of([Diagnostic.at(SETTINGS, named.line, f"environments.{name} has neither a path nor a definition")])
    return _with_settings(loaded, named)


def _with_settings(environment: Environment, named: NamedEnvironment) -> Environment:
    definition = environment.definition
    if named.path:
        if not (environment.root / named.path).is_dir() or named.path.startswith(("/", "..")):
            message = f"environments.{environment.name}.path is {quote(named.path)}, which is not a folder of the repository"
            raise InputError.of([Diagnostic.at(SETTINGS, named.line, message)])
        definition = replace(definition, source_directory=named.source, entry_path=posixpath.relpath(named.path, named.source))
    if named.kubernetes_version:
        definition = replace(definition, kubernetes_version=named.kubernetes_version)
    return replace(environment, definition=definition)


def _unknown(root: Path, name: str, known: Sequence[str]) -> InputError:
    near = suggestions(name, known)
    hint: Hint = f"did you mean {join_words(near, 'or')}?" if near else command("devloop env list")
    return InputError(f"no environment {quote(name)} in {root}; it has {join_words(known)}", hint=hint)


def _loadable(root: Path) -> Iterator[Environment]:
    for name in defined(root):
        try:
            yield _load_defined(root, name, None)
        except InputError:
            continue


def _named(found: Sequence[EntryPoint], taken: Sequence[str]) -> dict[str, EntryPoint]:
    """By the name of the folder, or by the whole path where that is not enough."""
    folders = [*taken, *(posixpath.basename(entry.path) for entry in found)]
    named = {}
    for entry in found:
        short = posixpath.basename(entry.path)
        named[short if folders.count(short) == 1 and short != "." else entry.path.replace("/", "-").replace(".", "root")] = entry
    return named


def _environment(root: Path, name: str, entry: EntryPoint) -> Environment:
    path = posixpath.relpath(entry.path, entry.base)
    return Environment(name, root, ClusterDefinition(_cluster_name(name), "", entry.file, source_directory=entry.base, entry_path=path))


def _cluster_name(name: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in name.lower()).strip("-") or "local"


def _entered(environment: Environment, path: Path | None) -> Environment:
    """With the entry at `path`, which is relative to the repository or to the current folder."""
    if path is None:
        return environment
    root = environment.root
    inside = [folder for folder in (root / path, path.absolute()) if folder.is_dir() and folder.resolve().is_relative_to(root)]
    if not inside:
        raise InputError(f"--path {path} is not a folder in {root}", hint="name the folder that Flux enters, relative to the repository")
    relative = str(inside[0].resolve().relative_to(root))
    return replace(environment, definition=replace(environment.definition, source_directory=".", entry_path=relative))
