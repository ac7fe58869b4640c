"""`devloop env list`: the environments of a repository, and what told each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from devloop.clients.git import remotes
from devloop.diagnostic import Severity
from devloop.errors import InputError
from devloop.model.report import Emit, Notice
from devloop.repository.builds import open_worker
from devloop.repository.entry_points import EntryPoints
from devloop.repository.graph import build_graph


@dataclass(frozen=True)
class KnownEnvironment:
    """`file` told of it; `kustomizations` is their number."""

    name: str
    entry_path: str
    kustomizations: int
    file: str


def known_environments(root: Path, emit: Emit) -> list[KnownEnvironment]:
    """All, in the order of `validate`; problems of definitions go to `emit`."""
    entries, urls, found = EntryPoints(root), remotes(root), []
    with open_worker(root, str, emit) as worker:
        for name in entries.names:
            try:
                environment = entries.load(name)
            except InputError as error:
                emit(Notice(f"{name}: {error.message}", Severity.ERROR, error.hint))
                continue
            graph = build_graph(environment, worker, remotes=urls)
            found.append(KnownEnvironment(name, environment.entry_path, len(graph.nodes), environment.definition.path))
    return found
