"""`devloop render`: what Flux would apply, as text; and what a change makes of it. Nothing here prints or parses arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.git import remotes
from devloop.clients.worker import Worker, ended_by_signals
from devloop.diagnostic import Severity
from devloop.errors import InputError
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.messages import join_words, suggestions
from devloop.model.report import Emit, Notice
from devloop.output.manifests import difference, document, to_yaml
from devloop.repository.age_keys import identities
from devloop.repository.checkout import checkout
from devloop.repository.entry_points import load
from devloop.repository.graph import build_graph
from devloop.repository.render import open_fetcher, open_worker

if TYPE_CHECKING:
    from devloop.clients.remote_fetch import Fetcher


@dataclass(frozen=True)
class Request:
    """An environment, or one Kustomization of it: namespace/name, or its name alone where that is enough."""

    root: Path
    environment: str
    kustomization: str = ""
    show_secrets: bool = False
    origins: bool = False
    key_file: Path | None = None
    definition: Path | None = None
    allow_remote: bool = False


@dataclass(frozen=True)
class Rendered:
    """`text` is YAML or a diff; `complete` says that everything wanted could be built."""

    text: str
    complete: bool


def render(request: Request, emit: Emit) -> Rendered:
    """The manifests as YAML in the graph's order; what does not build is told through `emit`. Raises InputError for a wrong name."""
    environment = load(request.root, request.environment, request.definition)
    with (
        open_fetcher(allowed=request.allow_remote) as fetcher,
        _worker(request.root, environment, request, emit) as worker,
        ended_by_signals(worker, fetcher),
    ):
        nodes = _chosen(_survey(environment, worker, request, fetcher), request.kustomization)
    complete = _tell_failures(nodes, emit)
    manifests = (manifest for node in nodes for manifest in node.manifests)
    return Rendered(to_yaml(manifests, show_secrets=request.show_secrets, origins=request.origins), complete)


def compare(request: Request, revision: str, emit: Emit) -> Rendered:
    """What differs between `revision` and the working tree, as a unified diff of every object."""
    environment = load(request.root, request.environment, request.definition)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(checkout(request.root, revision))
        then, now = (stack.enter_context(_worker(root, environment, request, emit)) for root in (folder, environment.root))
        fetcher = stack.enter_context(open_fetcher(allowed=request.allow_remote))
        stack.enter_context(ended_by_signals(then, now, fetcher))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        earlier = pool.submit(_earlier, folder, revision, environment, request, then, fetcher, emit)
        after = _survey(environment, now, request, fetcher)
        before = earlier.result()
        known = {str(node.kustomization.id) for graph in (before, after) if graph for node in graph}
        old, new = (_objects(_chosen(graph, request.kustomization, known), request) if graph else {} for graph in (before, after))
        complete = [_tell_failures(_chosen(graph, request.kustomization, known), emit) for graph in (before, after) if graph]
    return Rendered(difference(old, new, revision, "working tree"), all(complete))


def _earlier(
    folder: Path, revision: str, environment: Environment, request: Request, worker: Worker, fetcher: Fetcher | None, emit: Emit
) -> Graph | None:
    """The graph of an earlier state; None where the environment did not exist, or its definition could not be used."""
    try:
        before = load(folder, request.environment, request.definition and folder / environment.definition.path)
    except InputError as error:
        emit(Notice(f"nothing to compare with: {error.message.replace(str(folder), revision)}", Severity.WARNING))
        return None
    return _survey(before, worker, request, fetcher)


def _worker(root: Path, environment: Environment, request: Request, emit: Emit) -> Worker:
    """For the tree at `root`, with the keys that the user has for the environment as it is now."""
    return open_worker(root, lambda: identities(environment, request.key_file).text, emit, show_secrets=request.show_secrets)


def _survey(environment: Environment, worker: Worker, request: Request, fetcher: Fetcher | None) -> Graph:
    return build_graph(environment, worker, remotes=remotes(request.root), fetcher=fetcher)


def _chosen(graph: Graph, name: str, known: Collection[str] = ()) -> tuple[Node, ...]:
    """The nodes that `name` means, all for ''; raises InputError where it is not among `known`, by default the graph's own."""
    names = sorted(known or (str(node.kustomization.id) for node in graph))
    meant = [full for full in names if name in (full, full.partition("/")[2])]
    if name and not meant:
        near = suggestions(name, names)
        hint = f"did you mean {join_words(near, 'or')}?" if near else f"there are {join_words(names)}"
        raise InputError(f"there is no Kustomization {name} in {graph.environment}", hint=hint)
    if len(meant) > 1 and name:
        raise InputError(f"there is more than one Kustomization {name}", hint=f"write {join_words(meant, 'or')}")
    return tuple(node for node in graph if not name or str(node.kustomization.id) in meant)


def _tell_failures(nodes: Collection[Node], emit: Emit) -> bool:
    failed = [node for node in nodes if node.state is NodeState.FAILED and node.failure]
    for node in failed:
        assert node.failure
        where = f" ({node.failure.path}:{node.failure.line})" if node.failure.path else ""
        emit(Notice(f"{node.kustomization.id} does not build: {node.failure.message}{where}", Severity.ERROR, node.failure.hint))
    return not failed


def _objects(nodes: Collection[Node], request: Request) -> dict[str, str]:
    """Kustomization/Kind/namespace/name -> document."""
    return {
        f"{node.kustomization.id}/{manifest}": document(manifest, show_secrets=request.show_secrets)
        for node in nodes
        for manifest in node.manifests
    }
