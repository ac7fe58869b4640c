"""`devloop render`: the manifests that Flux would apply, or how a change alters them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.git import remotes
from devloop.clients.worker import Worker, ended_by_signals
from devloop.diagnostic import Severity
from devloop.errors import InputError
from devloop.lint.redaction import Redaction
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Failure, Graph, Node, NodeState
from devloop.model.messages import join_words, suggestions
from devloop.model.report import Emit, Notice
from devloop.output.manifests import difference, document, to_yaml
from devloop.repository.age_keys import identities
from devloop.repository.builds import open_worker
from devloop.repository.entry_points import load
from devloop.repository.graph import build_graph
from devloop.repository.remote_bases import open_fetcher
from devloop.repository.revisions import checkout

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher


@dataclass(frozen=True)
class Request:
    """An environment, or one Kustomization of it: namespace/name, or just the name if it is unique."""

    root: Path
    environment: str
    kustomization: str = ""
    show_secrets: bool = False
    origins: bool = False
    key_file: Path | None = None
    definition: Path | None = None
    allow_remote: bool = False
    path: Path | None = None


@dataclass(frozen=True)
class Rendered:
    """`text` is YAML or a diff; `complete` says that everything requested was built."""

    text: str
    complete: bool


def render(request: Request, emit: Emit) -> Rendered:
    """The manifests as YAML in the graph's order; build failures go to `emit`. Raises InputError for a wrong name."""
    environment = load(request.root, request.environment, request.definition, request.path)
    with (
        open_fetcher(allowed=request.allow_remote) as fetcher,
        _worker(request.root, environment, request, emit) as worker,
        ended_by_signals(worker, fetcher),
    ):
        nodes = _select(_build(environment, worker, request, fetcher), request.kustomization)
        complete = _report_failures(nodes, worker, emit)
        manifests = (manifest for node in nodes for manifest in node.manifests)
        text = to_yaml(manifests, show_secrets=request.show_secrets, origins=request.origins)
        return Rendered(_redacted(text, request, worker), complete)


def compare(request: Request, revision: str, emit: Emit) -> Rendered:
    """A unified diff of every object between `revision` and the working tree."""
    environment = load(request.root, request.environment, request.definition, request.path)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(checkout(request.root, revision))
        then, now = (stack.enter_context(_worker(root, environment, request, emit)) for root in (folder, environment.root))
        fetcher = stack.enter_context(open_fetcher(allowed=request.allow_remote))
        stack.enter_context(ended_by_signals(then, now, fetcher))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        earlier = pool.submit(_earlier, folder, revision, environment, request, then, fetcher, emit)
        after = _build(environment, now, request, fetcher)
        graphs = [earlier.result(), after]
        known = {str(node.kustomization.id) for graph in graphs if graph for node in graph}
        old, new = (_select(graph, request.kustomization, known) if graph else () for graph in graphs)
        complete = [_report_failures(nodes, worker, emit) for nodes, worker in ((old, then), (new, now))]
        text = difference(_objects(old, request), _objects(new, request), revision, "working tree")
        return Rendered(_redacted(_redacted(text, request, then), request, now), all(complete))


def _redacted(text: str, request: Request, worker: Worker) -> str:
    return text if request.show_secrets else worker.redact([text], manifests=True)[0]


def _earlier(
    folder: Path, revision: str, environment: Environment, request: Request, worker: Worker, fetcher: Fetcher | None, emit: Emit
) -> Graph | None:
    """The graph at `revision`; None if the environment did not exist or its definition was invalid."""
    try:
        before = load(folder, request.environment, request.definition and folder / environment.definition.path, request.path)
    except InputError as error:
        emit(Notice(f"nothing to compare with: {error.message.replace(str(folder), revision)}", Severity.WARNING))
        return None
    return _build(before, worker, request, fetcher)


def _worker(root: Path, environment: Environment, request: Request, emit: Emit) -> Worker:
    """A worker for the tree at `root`, with the current keys of the environment."""
    return open_worker(root, lambda: identities(environment, request.key_file).text, emit, show_secrets=request.show_secrets)


def _build(environment: Environment, worker: Worker, request: Request, fetcher: Fetcher | None) -> Graph:
    return build_graph(environment, worker, remotes=remotes(request.root), fetcher=fetcher)


def _select(graph: Graph, name: str, known: Collection[str] = ()) -> tuple[Node, ...]:
    """The nodes called `name`, all for ''; raises InputError if it is not in `known`, by default the names of the graph."""
    names = sorted(known or (str(node.kustomization.id) for node in graph))
    matches = [full for full in names if name in (full, full.partition("/")[2])]
    if name and not matches:
        near = suggestions(name, names)
        hint = f"did you mean {join_words(near, 'or')}?" if near else f"there are {join_words(names)}"
        raise InputError(f"there is no Kustomization {name} in {graph.environment}", hint=hint)
    if name and len(matches) > 1:
        raise InputError(f"there is more than one Kustomization {name}", hint=f"write {join_words(matches, 'or')}")
    return tuple(node for node in graph if not name or str(node.kustomization.id) in matches)


def _report_failures(nodes: Collection[Node], worker: Worker, emit: Emit) -> bool:
    failures = tuple(_failures(nodes))
    redaction = Redaction(worker)
    for what, failure in failures:
        line = f":{failure.line}" if failure.line else ""
        where = f" ({failure.path}{line})" if failure.path else ""
        emit(redaction.event(Notice(f"{what} {failure.message}{where}", Severity.ERROR, failure.hint)))
    return not failures


def _failures(nodes: Collection[Node]) -> Iterator[tuple[str, Failure]]:
    """What does not build or render, and why."""
    for node in nodes:
        if node.state is NodeState.FAILED and node.failure:
            yield f"{node.kustomization.id} does not build:", node.failure
        for release in node.releases:
            if release.state is NodeState.FAILED and release.failure:
                yield f"the HelmRelease {release.id} does not render:", release.failure


def _objects(nodes: Collection[Node], request: Request) -> dict[str, str]:
    return {
        f"{node.kustomization.id}/{manifest}": document(manifest, show_secrets=request.show_secrets)
        for node in nodes
        for manifest in node.manifests
    }
