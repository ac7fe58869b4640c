"""`devloop env list`: the environments of a repository, and what told each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.diagnostic import Severity
from devloop.errors import InputError
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice
from devloop.repository import entry_points
from devloop.repository.builds import open_worker
from devloop.repository.graph import build_graph


@dataclass(frozen=True)
class KnownEnvironment:
    """`file` told of it; `kustomizations` is their number."""

    name: str
    entry_path: str
    kustomizations: str
    file: str


def known_environments(root: Path, emit: Emit) -> list[KnownEnvironment]:
    """All, in the order of `validate`; problems of definitions go to `emit`."""
    undefined = entry_points.undefined(root)
    found = []
    with open_worker(root, str, emit) as worker:
        for name in (*entry_points.defined(root), *undefined):
            try:
                environment = entry_points.load(root, name, known=undefined)
            except InputError as error:
                emit(Notice(f"{name}: {error.message}", Severity.ERROR, error.hint))
                continue
            graph = build_graph(environment, worker, remotes=remotes(root))
            found.append(_known(environment, str(len(graph.nodes))))
    return found


def _known(environment: Environment, number: str) -> KnownEnvironment:
    return KnownEnvironment(environment.name, environment.entry_path, number, environment.definition.path)
