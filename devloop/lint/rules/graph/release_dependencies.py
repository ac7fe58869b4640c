"""spec.dependsOn of HelmReleases."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from devloop.diagnostic import Diagnostic
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import HELM_GROUP, HELM_RELEASE, KUSTOMIZATION
from devloop.model.flux.reachability import cycles
from devloop.model.kubernetes.manifest import Manifest, mappings_in
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, fully_known, inventories


class _Waiting(NamedTuple):
    """A Kustomization or a HelmRelease."""

    kind: str
    id: ObjectId

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


_Releases = Mapping[ObjectId, tuple[KustomizationContext, Manifest]]


def missing(context: LintContext) -> Iterator[Diagnostic]:
    """dependsOn of a HelmRelease names one that nothing renders."""
    for inventory in fully_known(context):
        releases = _releases(inventory)
        for kustomization, release in releases.values():
            for number, dependency in _depends_on(release):
                if dependency not in releases and not inventory.generated.may_have(HELM_RELEASE, dependency.name):
                    yield kustomization.about(
                        release,
                        "the HelmRelease {release} depends on the HelmRelease {dependency}, which does not exist",
                        *("spec", "dependsOn", number, "name"),
                        hint="correct its name or namespace, or remove the dependency: only HelmReleases can be named here",
                        severity=inventory.severity,
                        release=release.id,
                        dependency=dependency,
                    )


def in_cycles(context: LintContext) -> Iterator[Diagnostic]:
    """HelmReleases that wait for each other, or for a Kustomization that waits for them; each cycle once."""
    for inventory in inventories(context):
        releases = _releases(inventory)
        found = (_rotated(cycle) for cycle in cycles(_waits_for(inventory.graph, releases)))
        for cycle in dict.fromkeys(cycle for cycle in found if any(each.kind == HELM_RELEASE for each in cycle)):
            first, following = cycle[0], cycle[1 % len(cycle)]
            kustomization, release = releases[first.id]
            numbers = [number for number, name in _depends_on(release) if following == _Waiting(HELM_RELEASE, name)]
            yield kustomization.about(
                release,
                "{what} for each other: {cycle}" if len(cycle) > 1 else "the HelmRelease {release} depends on itself",
                *(("spec", "dependsOn", numbers[0], "name") if numbers else ("spec",)),
                hint="remove one of the dependencies",
                what="HelmReleases wait" if {each.kind for each in cycle} == {HELM_RELEASE} else "Kustomizations and HelmReleases wait",
                release=release.id,
                cycle=" -> ".join(map(str, (*cycle, first))),
            )


def _releases(inventory: Inventory) -> _Releases:
    return {release.id: (kustomization, release) for kustomization, release in inventory.of_kind(HELM_GROUP, HELM_RELEASE)}


def _depends_on(release: Manifest) -> Iterator[tuple[int, ObjectId]]:
    """The dependencies of a HelmRelease that is not suspended, with their index."""
    spec = release.mapping("spec")
    for number, each in enumerate(mappings_in(spec.get("dependsOn")) if spec.get("suspend") is not True else ()):
        yield number, ObjectId(str(each.get("namespace") or release.id.namespace), str(each.get("name")))


def _waits_for(graph: Graph, releases: _Releases) -> Mapping[_Waiting, list[_Waiting]]:
    """What must be ready before each.

    With wait: true, a Kustomization is ready after its HelmReleases; these exist once it is applied, after what it depends on.
    """
    found = {_Waiting(KUSTOMIZATION, node.kustomization.id): [*_before(graph, node.kustomization.id)] for node in graph}
    for name, (kustomization, release) in releases.items():
        if release.mapping("spec").get("suspend") is True:
            continue
        waiting = _Waiting(HELM_RELEASE, name)
        named = [_Waiting(HELM_RELEASE, each) for number, each in _depends_on(release) if not _has_expression(release, number)]
        found[waiting] = [*named, *_before(graph, kustomization.id)]
        if kustomization.spec.get("wait") is True:
            found[_Waiting(KUSTOMIZATION, kustomization.id)].append(waiting)
    return found


def _has_expression(release: Manifest, number: int) -> bool:
    """Then the dependency need not be ready."""
    return bool(mappings_in(release.mapping("spec").get("dependsOn"))[number].get("readyExpr"))


def _before(graph: Graph, name: ObjectId) -> Iterator[_Waiting]:
    return (_Waiting(KUSTOMIZATION, each) for each in graph.by_id[name].kustomization.depends_on)


def _rotated(cycle: tuple[_Waiting, ...]) -> tuple[_Waiting, ...]:
    """The same cycle from its alphabetically first HelmRelease that depends on another, if it has one."""
    steps = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    starts = [one for one, following in steps if one.kind == following.kind == HELM_RELEASE]
    starts = starts or [each for each in cycle if each.kind == HELM_RELEASE]
    first = cycle.index(min(starts)) if starts else 0
    return (*cycle[first:], *cycle[:first])
