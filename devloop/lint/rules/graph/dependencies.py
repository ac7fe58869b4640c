"""spec.dependsOn of Kustomizations, and of HelmReleases."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.graph import release_dependencies
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Graph, NodeState
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.flux.reachability import cycles
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import inventories


def dependency_missing(context: LintContext) -> Iterator[Diagnostic]:
    """dependsOn names a Kustomization that nothing renders. Not reported if a hidden part of the graph may render it."""
    for inventory in inventories(context):
        graph = inventory.graph
        if not any(node.state in (NodeState.FAILED, NodeState.UNKNOWN) for node in graph):
            for kustomization in inventory.living:
                for dependency in kustomization.node.kustomization.depends_on:
                    made = inventory.generated.may_have(KUSTOMIZATION, dependency.name)
                    if dependency not in graph.by_id and not made and not _may_be_foreign(graph, dependency):
                        yield _missing(context, kustomization, dependency)
    yield from release_dependencies.missing(context)


def _missing(context: LintContext, kustomization: KustomizationContext, dependency: ObjectId) -> Diagnostic:
    graph = kustomization.environment.graph
    elsewhere = [other.name for other in context.environments if dependency in other.graph.by_id]
    kinds = sorted({m.kind for node in graph for m in node.manifests if (m.namespace, m.name) == (dependency.namespace, dependency.name)})
    names = sorted(str(node.kustomization.id) for node in graph)
    near = get_close_matches(str(dependency), names, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else f"the Kustomizations of {graph.environment} are: {', '.join(names)}"
    if elsewhere:
        problem = "only exists in {environments}, another cluster"
    elif kinds:
        problem, hint = "is a {kinds}, not a Kustomization", "depend on the Kustomization that applies it"
    else:
        problem = "does not exist"
    return kustomization.diagnostic(
        "{kustomization} depends on {dependency}, which " + problem,
        "dependsOn",
        {"name": dependency.name},
        hint=hint,
        dependency=dependency,
        environments=" and ".join(elsewhere),
        kinds=" and a ".join(kinds),
    )


def _may_be_foreign(graph: Graph, dependency: ObjectId) -> bool:
    """A Kustomization from another source may render others into its own namespace, or into its targetNamespace."""
    foreign = [node.kustomization for node in graph if node.state is NodeState.FOREIGN]
    return dependency.namespace in {k.id.namespace for k in foreign} | {str(k.spec.get("targetNamespace")) for k in foreign}


def dependency_cycle(context: LintContext) -> Iterator[Diagnostic]:
    """Kustomizations that wait for each other; each cycle once."""
    for environment in context.environments:
        kustomizations = {kustomization.id: kustomization for kustomization in environment.kustomizations}
        for cycle in _cycles(environment.graph):
            first, following = _dependency_of(environment.graph, cycle)
            message, hint = "Kustomizations wait for each other: {cycle}", "remove one of the dependencies, or wait: true of a parent"
            chain = " -> ".join(map(str, (*cycle, cycle[0])))
            yield kustomizations[first].diagnostic(message, "dependsOn", {"name": following.name}, hint=hint, cycle=chain)
    yield from release_dependencies.in_cycles(context)


def _dependency_of(graph: Graph, cycle: Sequence[ObjectId]) -> tuple[ObjectId, ObjectId]:
    """The first step of the cycle that comes from dependsOn; there is one, because parents alone form no cycle."""
    steps = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    return next((name, following) for name, following in steps if following in graph.by_id[name].kustomization.depends_on)


def _waits_for(graph: Graph) -> Mapping[ObjectId, list[ObjectId]]:
    """What must be ready first: the dependencies of a Kustomization and, with wait: true, the Kustomizations that it applies."""
    found = {node.kustomization.id: [*node.kustomization.depends_on] for node in graph}
    for node in graph:
        for parent in {node.parent, *node.others} - {None}:
            if parent and graph.by_id[parent].kustomization.spec.get("wait") is True:
                found[parent].append(node.kustomization.id)
    return found


def _cycles(graph: Graph) -> list[tuple[ObjectId, ...]]:
    """Each cycle starts at its alphabetically first name."""
    return list(dict.fromkeys(map(_rotated, cycles(_waits_for(graph)))))


def _rotated(cycle: Sequence[ObjectId]) -> tuple[ObjectId, ...]:
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[:first])


RULES: Rules = {
    "graph/dependency-missing": Rule(
        dependency_missing,
        Severity.ERROR,
        "a Kustomization or a HelmRelease with a missing dependency never becomes ready",
        "name one of the same kind in the same environment, with its namespace if that differs",
    ),
    "graph/dependency-cycle": Rule(
        dependency_cycle,
        Severity.ERROR,
        "Kustomizations and HelmReleases that wait for each other are never applied",
        "remove one of the dependencies in the cycle",
    ),
}
