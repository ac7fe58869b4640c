"""All environments of a repository: those of devloop.yaml, of KSail definitions, and of the entries that Flux has without one."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import DevloopCommand, Hint
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment, NamedEnvironment
from devloop.model.lint.settings import PATH as SETTINGS
from devloop.model.messages import join_words, quote, suggestions
from devloop.repository.entry_points.discovery import EntryPoint, discover
from devloop.repository.entry_points.flux_files import FluxFiles
from devloop.repository.environments import environments, load_environment
from devloop.repository.settings import load_environments


def names(root: Path) -> tuple[str, ...]:
    """See EntryPoints.names."""
    return EntryPoints(root).names


def load(root: Path, name: str, definition: Path | None = None, path: Path | None = None) -> Environment:
    """See EntryPoints.load."""
    return EntryPoints(root).load(name, definition, path)


class EntryPoints:
    """The environments of the repository at `root`; looks for each kind once, and only when it is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @property
    def names(self) -> tuple[str, ...]:
        """All environments: those that devloop.yaml names, those with a definition, and the others, each sorted."""
        return (*self._defined, *self._found)

    def load(self, name: str, definition: Path | None = None, path: Path | None = None) -> Environment:
        """The environment `name`, with the entry at the folder `path` if given; raises InputError as `load_environment` does."""
        if definition:
            return _entered(load_environment(self._root, name, definition), path)
        if name in self._defined:
            return _entered(self._load(name), path)
        if path:
            return _entered(_environment(self._root, name, EntryPoint(".", "")), path)
        return self._found.get(name) or self._load_only(name)

    @cached_property
    def _settings(self) -> Mapping[str, NamedEnvironment]:
        return load_environments(self._root)

    @cached_property
    def _definitions(self) -> tuple[str, ...]:
        return environments(self._root)

    @cached_property
    def _defined(self) -> tuple[str, ...]:
        """Those that devloop.yaml names or that have a definition."""
        return tuple(dict.fromkeys((*sorted(self._settings), *self._definitions)))

    @cached_property
    def _found(self) -> Mapping[str, Environment]:
        """Those that only the repository's files show, by name."""
        known = {each.entry_path: posixpath.normpath(each.definition.source_directory) for each in self._loadable()}
        named = _named(discover(FluxFiles(self._root), known), taken=self._defined)
        return {name: _environment(self._root, name, entry) for name, entry in sorted(named.items())}

    def _loadable(self) -> Iterator[Environment]:
        for name in self._defined:
            with contextlib.suppress(InputError):
                yield self._load(name)

    @cache  # noqa: B019 (lives as long as the command)
    def _load(self, name: str) -> Environment:
        named = self._settings.get(name)
        if named is None:
            return load_environment(self._root, name)
        if named.definition or name in self._definitions:
            loaded = load_environment(self._root, name, self._root / named.definition if named.definition else None)
        elif named.path:
            loaded = Environment(name, self._root, ClusterDefinition(_cluster_name(name), "", SETTINGS))
        else:
            raise InputError.of([Diagnostic.at(SETTINGS, named.line, f"environments.{name} has neither a path nor a definition")])
        return _with_settings(loaded, named)

    def _load_only(self, name: str) -> Environment:
        """`local` may be the only definition, whatever its name."""
        try:
            return load_environment(self._root, name)
        except InputError as error:
            if error.problems or not self.names:
                raise
            near = suggestions(name, self.names)
            hint: Hint = f"did you mean {join_words(near, 'or')}?" if near else DevloopCommand("env", options=("list",))
            message = f"no environment {quote(name)} in {self._root}; it has {join_words(sorted(self.names))}"
            raise InputError(message, hint=hint) from None


def _with_settings(environment: Environment, named: NamedEnvironment) -> Environment:
    definition = environment.definition
    if named.path:
        _check_folders(environment, named)
        definition = replace(definition, source_directory=named.source, entry_path=posixpath.relpath(named.path, named.source))
    if named.kubernetes_version:
        definition = replace(definition, kubernetes_version=named.kubernetes_version)
    return replace(environment, definition=definition)


def _check_folders(environment: Environment, named: NamedEnvironment) -> None:
    """`path` is a folder of the repository, and below `source`."""
    where = f"environments.{environment.name}"
    problem = ""
    if named.path.startswith(("/", "..")) or not (environment.root / named.path).is_dir():
        problem = f"{where}.path is {quote(named.path)}, which is not a folder of the repository"
    elif named.source != "." and not f"{named.path}/".startswith(f"{named.source}/"):
        problem = f"{where}.source is {quote(named.source)}, which does not contain {quote(named.path)}"
    if problem:
        raise InputError.of([Diagnostic.at(SETTINGS, named.line, problem)])


def _named(found: Sequence[EntryPoint], taken: Sequence[str]) -> dict[str, EntryPoint]:
    """By the name of the folder, or by the whole path where that is not enough."""
    folders = [*taken, *(posixpath.basename(entry.path) for entry in found)]
    named = {}
    for entry in found:
        short = posixpath.basename(entry.path)
        whole = "root" if entry.path == "." else entry.path.replace("/", "-")
        named[short if folders.count(short) == 1 and short != "." else whole] = entry
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
