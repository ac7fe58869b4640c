"""The Kustomizations of an environment fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from devloop.model.graph import Graph, Node, NodeState
from devloop.model.kustomization import KIND, ObjectId
from devloop.model.place import Fault, Place, Step


def path_missing(graph: Graph) -> Iterator[Fault]:
    """spec.path leads nowhere."""
    for node in graph:
        if node.failure and node.failure.kind == "missing" and node.state is NodeState.FAILED:
            where = "the repository's root" if graph.source_directory == "." else f"{graph.source_directory}/"
            path = node.kustomization.path
            yield Fault(f"the path {path} of {node.kustomization.id} does not exist", _at(node, "path"), f"paths count from {where} here")


def dependency_missing(graph: Graph) -> Iterator[Fault]:
    """dependsOn names a Kustomization that nothing renders. Where a part of the graph cannot be seen, it may be in there."""
    if any(node.state in (NodeState.FAILED, NodeState.UNKNOWN) for node in graph):
        return
    names = [str(node.kustomization.id) for node in graph]
    for node in graph:
        for dependency in node.kustomization.depends_on:
            if dependency not in graph.by_id and not _may_be_foreign(graph, dependency):
                near = get_close_matches(str(dependency), names, n=1, cutoff=0.7)
                hint = f"did you mean {near[0]}?" if near else f"the Kustomizations of {graph.environment} are: {', '.join(sorted(names))}"
                yield Fault(f"{node.kustomization.id} depends on {dependency}, which does not exist", _dependency(node, dependency), hint)


def _may_be_foreign(graph: Graph, dependency: ObjectId) -> bool:
    """A Kustomization from another source renders into its own namespace, or where its targetNamespace says."""
    foreign = [node.kustomization for node in graph if node.state is NodeState.FOREIGN]
    return dependency.namespace in {k.id.namespace for k in foreign} | {str(k.spec.get("targetNamespace")) for k in foreign}


def dependency_cycle(graph: Graph) -> Iterator[Fault]:
    """Kustomizations that depend on themselves by way of others; each circle once."""
    for circle in _circles(graph):
        chain = " -> ".join(str(name) for name in (*circle, circle[0]))
        node = graph.by_id[circle[0]]
        following = circle[1] if len(circle) > 1 else circle[0]
        yield Fault(f"Kustomizations wait for each other: {chain}", _dependency(node, following), "remove one of these dependencies")


def _circles(graph: Graph) -> list[tuple[ObjectId, ...]]:
    """The circles that a walk along the dependencies runs into, each from its first name in the alphabet."""
    found: dict[tuple[ObjectId, ...], None] = {}
    done: set[ObjectId] = set()

    def walk(name: ObjectId, trail: tuple[ObjectId, ...]) -> None:
        if name in trail:
            found[_rotated(trail[trail.index(name) :])] = None
        elif name in graph.by_id and name not in done:
            for dependency in graph.by_id[name].kustomization.depends_on:
                walk(dependency, (*trail, name))
            done.add(name)

    for node in graph:
        walk(node.kustomization.id, ())
    return list(found)


def _rotated(circle: Sequence[ObjectId]) -> tuple[ObjectId, ...]:
    first = circle.index(min(circle))
    return (*circle[first:], *circle[:first])


def rendered_twice(graph: Graph) -> Iterator[Fault]:
    """Two Kustomizations render one and the same."""
    for node in graph:
        if node.others and node.parent:
            parents = ", ".join(str(parent) for parent in sorted({node.parent, *node.others}))
            yield Fault(f"{node.kustomization.id} is rendered more than once, by {parents}", _at(node), "leave it to one of them")


def _at(node: Node, *field: Step) -> Place:
    """A field of the Kustomization's spec, or the Kustomization itself."""
    return Place(node.origin.path, node.origin.line, KIND, node.kustomization.id.name, ("spec", *field) if field else ())


def _dependency(node: Node, dependency: ObjectId) -> Place:
    return _at(node, "dependsOn", {"name": dependency.name})
