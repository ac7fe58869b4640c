"""The objects of an environment by identity, and which of them a Kustomization can rely on. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from devloop.diagnostic import Severity
from devloop.model.flux.clusters import OWN, Cluster, is_within, target, targets
from devloop.model.flux.generators import GENERATORS, Generated, generated_by
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import is_flux
from devloop.model.flux.reachability import reachable
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext


class Identity(NamedTuple):
    """Identifies an object; versions of a group do not matter."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def identity(manifest: Manifest) -> Identity:
    return Identity(manifest.group, manifest.kind, manifest.namespace, manifest.name)


@dataclass(frozen=True)
class Inventory:
    """Everything that an environment applies to one cluster, with the Kustomizations that render it.

    `applied` are the objects of each Kustomization that go to the cluster, without those of its HelmReleases for other clusters;
    `living` are the Kustomizations in the cluster, `releases` the HelmReleases that install there.
    `whole` says that no part is hidden: everything builds, and nothing comes from another source or a remote base.
    `open` are namespaces in which something may make objects at run time: a chart, or the controller of a custom resource; `generators`
    are ResourceSets and the like, also those of a cluster that manages this one.
    """

    environment: EnvironmentGraph
    cluster: Cluster = OWN
    whole: bool = True
    objects: dict[Identity, list[tuple[KustomizationContext, Manifest]]] = field(default_factory=dict)
    applied: dict[ObjectId, tuple[KustomizationContext, list[Manifest]]] = field(default_factory=dict)
    living: list[KustomizationContext] = field(default_factory=list)
    releases: list[tuple[KustomizationContext, Manifest]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    generators: list[Manifest] = field(default_factory=list)

    @property
    def graph(self) -> Graph:
        return self.environment.graph

    @property
    def place(self) -> str:
        """The cluster for messages, '' for the environment's own."""
        return f" in the cluster of the {self.cluster[-1]}" if self.cluster else ""

    @property
    def severity(self) -> Severity | None:
        """Of what is missing: another cluster may have objects that this repository knows nothing of."""
        return Severity.WARNING if self.cluster else None

    def has(self, group: str, kind: str, namespace: str, name: str) -> bool:
        return Identity(group, kind, namespace, name) in self.objects

    def of_kind(self, group: str, kind: str) -> Iterator[tuple[KustomizationContext, Manifest]]:
        for key in self._by_kind.get((group, kind), ()):
            yield from self.objects[key]

    @cached_property
    def _by_kind(self) -> Mapping[tuple[str, str], Sequence[Identity]]:
        found: dict[tuple[str, str], list[Identity]] = {}
        for key in self.objects:
            found.setdefault((key.group, key.kind), []).append(key)
        return found

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Those that the environment renders or that HelmReleases create."""
        made = {release_namespace(release) for _, release in self.releases if _creates_namespace(release)}
        return frozenset(made | {key.name for key in self.objects if key.kind == "Namespace" and not key.group})

    @cached_property
    def namespaced(self) -> frozenset[tuple[str, str]]:
        """Group and kind of the namespaced custom resources whose definitions are applied to the cluster."""
        specs = [manifest.mapping("spec") for _, manifest in self.of_kind("apiextensions.k8s.io", "CustomResourceDefinition")]
        kinds = ((str(spec.get("group")), str(mapping_at(spec, "names").get("kind")), spec.get("scope")) for spec in specs)
        return frozenset((group, kind) for group, kind, scope in kinds if scope == "Namespaced")

    @cached_property
    def generated(self) -> Generated:
        """What generators such as ResourceSets make in the cluster at run time."""
        return generated_by(self.generators)

    def add_release(self, kustomization: KustomizationContext, release: Manifest) -> None:
        self.releases.append((kustomization, release))
        if not is_rendered(kustomization.node, release):
            self.open.add(release_namespace(release))

    def counted_on(self, own: Mapping[ObjectId, int]) -> Mapping[ObjectId, int]:
        """For each Kustomization the bits in `own` of all that are applied before or with it.

        Those are itself, its parents, their dependencies, and what the dependencies render.
        """
        edges: dict[tuple[ObjectId, bool], list[tuple[ObjectId, bool]]] = {}
        for node in self.graph:
            name, before = node.kustomization.id, node.kustomization.depends_on
            above = [*([node.parent] if node.parent else []), *node.others, *before]
            edges[name, False] = [*((other, False) for other in above), *((other, True) for other in before)]
            # With True: all that it renders, directly or not.
            edges[name, True] = [(child.kustomization.id, below) for child in self.graph.children(name) for below in (False, True)]
        bits = reachable(edges, {(name, False): value for name, value in own.items()})
        return {name: value for (name, below), value in bits.items() if not below}

    def ancestors(self, name: ObjectId) -> set[ObjectId]:
        """The parents of the Kustomization, their parents, and so on."""
        found: set[ObjectId] = set()
        while (node := self.graph.by_id.get(name)) and node.parent and node.parent not in found:
            found.add(name := node.parent)
        return found


def inventories(context: LintContext) -> tuple[Inventory, ...]:
    """The inventories of each environment, one per cluster, its own first; computed once for all rules."""
    return context.once(_inventories)


def fully_known(context: LintContext) -> Iterator[Inventory]:
    """Those of which no part is hidden."""
    return (inventory for inventory in inventories(context) if inventory.whole)


def _inventories(context: LintContext) -> tuple[Inventory, ...]:
    return tuple(inventory for environment in context.environments for inventory in inventories_of(environment))


def inventories_of(environment: EnvironmentGraph) -> tuple[Inventory, ...]:
    """Those of one environment."""
    graph = environment.graph
    applies = targets(graph)
    hidden = {applies[node.kustomization.id] for node in graph if node.state is not NodeState.BUILT or node.remote}
    found: dict[Cluster, Inventory] = {}

    def at(cluster: Cluster) -> Inventory:
        whole = not any(is_within(cluster, each) for each in hidden)
        return found.setdefault(cluster, Inventory(environment, cluster, whole))

    at(OWN)
    for kustomization in environment.kustomizations:
        parent = kustomization.node.parent
        at(applies.get(parent, OWN) if parent else OWN).living.append(kustomization)
        own = applies[kustomization.id]
        releases = {str(m.id): target(m.mapping("spec"), m.id.namespace, own) for m in kustomization.node.manifests if is_helm_release(m)}
        at(own).applied.setdefault(kustomization.id, (kustomization, []))
        for manifest in kustomization.node.manifests:
            _add(at(releases.get(manifest.release, own)), kustomization, manifest)
            if is_helm_release(manifest):
                at(releases[str(manifest.id)]).add_release(kustomization, manifest)
    for inventory in found.values():
        managing = [each for each in found.values() if is_within(inventory.cluster, each.cluster)]
        inventory.generators.extend(m for each in managing for kind in GENERATORS for _, m in each.of_kind(*kind))
    return tuple(found.values())


def _add(inventory: Inventory, kustomization: KustomizationContext, manifest: Manifest) -> None:
    key = identity(manifest)
    inventory.objects.setdefault(key, []).append((kustomization, manifest))
    inventory.applied.setdefault(kustomization.id, (kustomization, []))[1].append(manifest)
    if not is_built_in(key.group) and not is_flux(key.group):
        inventory.open.add(key.namespace)


def is_rendered(node: Node, release: Manifest) -> bool:
    """Whether the chart of a HelmRelease is in the repository, so that its objects are among the node's."""
    name = release.id
    return any(each.id == name and each.state is NodeState.BUILT for each in node.releases)


def release_namespace(release: Manifest) -> str:
    """The namespace of a HelmRelease's objects."""
    return str(release.mapping("spec").get("targetNamespace") or release.namespace)


def _creates_namespace(release: Manifest) -> bool:
    return bool(release.mapping("spec", "install").get("createNamespace"))
