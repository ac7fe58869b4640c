"""`devloop env list`: the environments of a repository and what defines each, or those that exist on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.diagnostic import Severity
from devloop.errors import InputError
from devloop.hint import DevloopCommand
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Graph
from devloop.model.lint.bootstrap import unreached
from devloop.model.messages import counted
from devloop.model.report import Emit, Notice
from devloop.provisioners.discovery import discover
from devloop.provisioners.found import FoundEnvironment
from devloop.repository.builds import open_worker
from devloop.repository.entry_points import EntryPoints
from devloop.repository.file_index import index_files
from devloop.repository.graph import build_graph


@dataclass(frozen=True)
class KnownEnvironment:
    """`file` told of it; `kustomizations` is their number."""

    name: str
    entry_path: str
    kustomizations: int
    file: str


def known_environments(root: Path, emit: Emit) -> list[KnownEnvironment]:
    """All, in the order of `validate`; problems of definitions and what no environment reaches go to `emit`."""
    built = [*_built(root, emit)]
    if not built:
        emit(Notice("no environment found", Severity.WARNING, "add ksail.yaml, or name the folder that Flux enters in devloop.yaml"))
    elif left := len([*unreached(index_files(root), [node for _, graph in built for node in graph])]):
        found = counted(left, "Kustomization")
        emit(Notice(f"{found} in no environment", hint=DevloopCommand("validate", options=("--rule", "graph/unreached"))))
    return [KnownEnvironment(each.name, each.entry_path, len(graph.nodes), each.definition.path) for each, graph in built]


def existing_environments(emit: Emit) -> tuple[FoundEnvironment, ...]:
    """Those on this machine, of any repository; what could not be inspected goes to `emit`."""
    found, note = discover()
    if note:
        emit(Notice(note))
    if not found:
        emit(Notice("no environment exists on this machine"))
    return found


def _built(root: Path, emit: Emit) -> Iterator[tuple[Environment, Graph]]:
    entries, urls = EntryPoints(root), remotes(root)
    with open_worker(root, str, emit) as worker:
        for name in entries.names:
            try:
                environment = entries.load(name)
            except InputError as error:
                emit(Notice(f"{name}: {error.message}", Severity.ERROR, error.hint))
                continue
            yield environment, build_graph(environment, worker, remotes=urls)
