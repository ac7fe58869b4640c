"""The Kustomizations of an environment fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from devloop.model.graph import Graph, NodeState
from devloop.model.kustomization import ObjectId
from devloop.model.place import Fault
from devloop.model.report import Severity
from devloop.model.subject import Inspected, Subject
from devloop.rules.rule import Rule, Rules


def path_missing(subject: Subject) -> Iterator[Fault]:
    """spec.path leads nowhere."""
    for unit in subject.units:
        kustomization, failure = unit.node.kustomization, unit.node.failure
        if failure and failure.kind == "missing" and unit.node.state is NodeState.FAILED:
            folder = unit.inspected.graph.source_directory
            where = "the repository's root" if folder == "." else f"{folder}/"
            message = f"the path {kustomization.path} of {kustomization.id} does not exist"
            yield unit.fault(message, "path", hint=f"paths count from {where} here")


def dependency_missing(subject: Subject) -> Iterator[Fault]:
    """dependsOn names a Kustomization that nothing renders. Where a part of the graph cannot be seen, it may be in there."""
    for inspected in subject.environments:
        if not any(node.state in (NodeState.FAILED, NodeState.UNKNOWN) for node in inspected.graph):
            yield from _dependencies_missing(inspected)


def _dependencies_missing(inspected: Inspected) -> Iterator[Fault]:
    graph = inspected.graph
    names = [str(node.kustomization.id) for node in graph]
    for unit in inspected.units:
        kustomization = unit.node.kustomization
        for dependency in kustomization.depends_on:
            if dependency not in graph.by_id and not _may_be_foreign(graph, dependency):
                near = get_close_matches(str(dependency), names, n=1, cutoff=0.7)
                hint = f"did you mean {near[0]}?" if near else f"the Kustomizations of {graph.environment} are: {', '.join(sorted(names))}"
                message = f"{kustomization.id} depends on {dependency}, which does not exist"
                yield unit.fault(message, "dependsOn", {"name": dependency.name}, hint=hint)


def _may_be_foreign(graph: Graph, dependency: ObjectId) -> bool:
    """A Kustomization from another source renders into its own namespace, or where its targetNamespace says."""
    foreign = [node.kustomization for node in graph if node.state is NodeState.FOREIGN]
    return dependency.namespace in {k.id.namespace for k in foreign} | {str(k.spec.get("targetNamespace")) for k in foreign}


def dependency_cycle(subject: Subject) -> Iterator[Fault]:
    """Kustomizations that depend on themselves by way of others; each circle once."""
    for inspected in subject.environments:
        units = {unit.node.kustomization.id: unit for unit in inspected.units}
        for circle in _circles(inspected.graph):
            chain = " -> ".join(str(name) for name in (*circle, circle[0]))
            following = circle[1] if len(circle) > 1 else circle[0]
            message = f"Kustomizations wait for each other: {chain}"
            yield units[circle[0]].fault(message, "dependsOn", {"name": following.name}, hint="remove one of these dependencies")


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


def rendered_twice(subject: Subject) -> Iterator[Fault]:
    """Two Kustomizations render one and the same."""
    for unit in subject.units:
        node = unit.node
        if node.others and node.parent:
            parents = ", ".join(str(parent) for parent in sorted({node.parent, *node.others}))
            yield unit.fault(f"{node.kustomization.id} is rendered more than once, by {parents}", hint="leave it to one of them")


RULES: Rules = {
    "graph/path-missing": Rule(
        path_missing,
        Severity.ERROR,
        "a Kustomization without its folder never becomes Ready",
        "write the path of a folder of the source, counted from the source's root",
    ),
    "graph/dependency-missing": Rule(
        dependency_missing,
        Severity.ERROR,
        "a Kustomization waits for its dependencies for ever",
        "name a Kustomization that the same environment renders, with its namespace where it is another one",
    ),
    "graph/dependency-cycle": Rule(
        dependency_cycle,
        Severity.ERROR,
        "Kustomizations that wait for each other are never applied",
        "remove one of the dependencies of the circle",
    ),
    "graph/rendered-twice": Rule(
        rendered_twice,
        Severity.ERROR,
        "two parents overwrite each other's version again and again",
        "leave it to one of the parents, or give the two different names",
    ),
}
