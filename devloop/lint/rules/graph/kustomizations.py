"""The Kustomizations of an environment fit together."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Graph, NodeState
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext


def path_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """spec.path leads nowhere."""
    for unit, failure, _ in subject.failures:
        if failure.kind == "missing":
            kustomization = unit.node.kustomization
            folder = unit.inspected.graph.source_directory
            where = "the repository's root" if folder == "." else f"{folder}/"
            message = f"the path {kustomization.path} of {kustomization.id} does not exist"
            yield unit.diagnostic(message, "path", hint=f"paths count from {where} here")


def path_outside(subject: LintContext) -> Iterator[Diagnostic]:
    """spec.path climbs out of the source; Flux does not follow it, and takes it as if it counted from the source's root."""
    for unit in subject.units:
        path = unit.node.kustomization.path
        if posixpath.normpath(path).startswith(".."):
            message = f"the path {path} of {unit.node.kustomization.id} leads out of its source"
            yield unit.diagnostic(message, "path", hint="name a folder of the source, or a source that has the folder")


def dependency_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """dependsOn names a Kustomization that nothing renders. Where a part of the graph cannot be seen, it may be in there."""
    for inspected in subject.environments:
        graph = inspected.graph
        if not any(node.state in (NodeState.FAILED, NodeState.UNKNOWN) for node in graph):
            for unit in inspected.units:
                for dependency in unit.node.kustomization.depends_on:
                    if dependency not in graph.by_id and not _may_be_foreign(graph, dependency):
                        yield _missing(subject, unit, dependency)


def _missing(subject: LintContext, unit: KustomizationContext, dependency: ObjectId) -> Diagnostic:
    graph, name = unit.inspected.graph, unit.node.kustomization.id
    elsewhere = [other.environment.name for other in subject.environments if dependency in other.graph.by_id]
    kinds = sorted({m.kind for node in graph for m in node.manifests if (m.namespace, m.name) == (dependency.namespace, dependency.name)})
    names = sorted(str(node.kustomization.id) for node in graph)
    near = get_close_matches(str(dependency), names, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else f"the Kustomizations of {graph.environment} are: {', '.join(names)}"
    what = f"{name} depends on {dependency}, which"
    if elsewhere:
        message = f"{what} is only in {' and '.join(elsewhere)}, another cluster"
    elif kinds:
        message, hint = f"{what} is a {' and a '.join(kinds)}, no Kustomization", "depend on the Kustomization that applies it"
    else:
        message = f"{what} does not exist"
    return unit.diagnostic(message, "dependsOn", {"name": dependency.name}, hint=hint)


def _may_be_foreign(graph: Graph, dependency: ObjectId) -> bool:
    """A Kustomization from another source renders into its own namespace, or where its targetNamespace says."""
    foreign = [node.kustomization for node in graph if node.state is NodeState.FOREIGN]
    return dependency.namespace in {k.id.namespace for k in foreign} | {str(k.spec.get("targetNamespace")) for k in foreign}


def dependency_cycle(subject: LintContext) -> Iterator[Diagnostic]:
    """Kustomizations that wait for themselves by way of others; each circle once."""
    for inspected in subject.environments:
        units = {unit.node.kustomization.id: unit for unit in inspected.units}
        for circle in _circles(inspected.graph):
            chain = " -> ".join(str(name) for name in (*circle, circle[0]))
            first, following = _dependency_of(inspected.graph, circle)
            message = f"Kustomizations wait for each other: {chain}"
            yield units[first].diagnostic(message, "dependsOn", {"name": following.name}, hint=_BREAK)


_BREAK = "remove one of these dependencies, or the wait of a parent for what it renders"


def _dependency_of(graph: Graph, circle: Sequence[ObjectId]) -> tuple[ObjectId, ObjectId]:
    """The first step of the circle that a dependsOn makes; parents alone make none."""
    steps = zip(circle, (*circle[1:], circle[0]), strict=True)
    return next((name, following) for name, following in steps if following in graph.by_id[name].kustomization.depends_on)


def _waits_for(graph: Graph) -> Mapping[ObjectId, list[ObjectId]]:
    """What must be Ready before each is: what it depends on, and, where it waits for what it applies, the Kustomizations among that."""
    found = {node.kustomization.id: [*node.kustomization.depends_on] for node in graph}
    for node in graph:
        for parent in {node.parent, *node.others} - {None}:
            if parent and graph.by_id[parent].kustomization.spec.get("wait") is True:
                found[parent].append(node.kustomization.id)
    return found


def _circles(graph: Graph) -> list[tuple[ObjectId, ...]]:
    """The circles that a walk along what waits for what runs into, each from its first name in the alphabet."""
    found: dict[tuple[ObjectId, ...], None] = {}
    done: set[ObjectId] = set()
    following = _waits_for(graph)

    def walk(name: ObjectId, trail: tuple[ObjectId, ...]) -> None:
        if name in trail:
            found[_rotated(trail[trail.index(name) :])] = None
        elif name in following and name not in done:
            for other in following[name]:
                walk(other, (*trail, name))
            done.add(name)

    for node in graph:
        walk(node.kustomization.id, ())
    return list(found)


def _rotated(circle: Sequence[ObjectId]) -> tuple[ObjectId, ...]:
    first = circle.index(min(circle))
    return (*circle[first:], *circle[:first])


def rendered_twice(subject: LintContext) -> Iterator[Diagnostic]:
    """Two Kustomizations render one and the same."""
    for unit in subject.units:
        node = unit.node
        if node.others and node.parent:
            parents = ", ".join(str(parent) for parent in sorted({node.parent, *node.others}))
            yield unit.diagnostic(f"{node.kustomization.id} is rendered more than once, by {parents}", hint="leave it to one of them")


RULES: Rules = {
    "graph/path-missing": Rule(
        path_missing,
        Severity.ERROR,
        "a Kustomization without its folder never becomes Ready",
        "write the path of a folder of the source, counted from the source's root",
    ),
    "graph/path-outside": Rule(
        path_outside,
        Severity.WARNING,
        "Flux never leaves a source: it takes such a path as if it counted from the source's root",
        "write a path below the source's root, without leading ..",
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
