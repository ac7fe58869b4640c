"""The objects of an environment by identity, and which of them a Kustomization can rely on. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.names import HELM_GROUP, HELM_RELEASE, is_flux
from devloop.model.flux.reachability import reachable
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
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
    """Everything that an environment renders, with the Kustomizations that render it.

    `whole` says that no part of the environment is hidden: everything builds, and nothing comes from another source or a remote base.
    `open` are namespaces in which something may make objects at run time: a chart, or the controller of a custom resource.
    """

    environment: EnvironmentGraph
    objects: dict[Identity, list[tuple[KustomizationContext, Manifest]]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    whole: bool = True

    @property
    def graph(self) -> Graph:
        return self.environment.graph

    def has(self, group: str, kind: str, namespace: str, name: str) -> bool:
        return Identity(group, kind, namespace, name) in self.objects

    def makes_flux_objects(self) -> bool:
        """Whether a ResourceSet of the Flux operator may create Kustomizations and HelmReleases at run time."""
        return any(key.kind == "ResourceSet" for key in self.objects)

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
        made = {release_namespace(m) for _, m in self.of_kind(HELM_GROUP, HELM_RELEASE) if _creates_namespace(m)}
        return frozenset(made | {key.name for key in self.objects if key.kind == "Namespace" and not key.group})

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
    """The inventory of each environment, computed once for all rules."""
    return context.once(_inventories)


def fully_known(context: LintContext) -> Iterator[tuple[Inventory, KustomizationContext]]:
    """Every Kustomization of the environments of which no part is hidden."""
    for inventory in inventories(context):
        for kustomization in inventory.environment.kustomizations if inventory.whole else ():
            yield inventory, kustomization


def _inventories(context: LintContext) -> tuple[Inventory, ...]:
    return tuple(map(_inventory, context.environments))


def _inventory(environment: EnvironmentGraph) -> Inventory:
    graph = environment.graph
    inventory = Inventory(environment, whole=all(node.state is NodeState.BUILT and not node.remote for node in graph))
    for kustomization in environment.kustomizations:
        for manifest in kustomization.node.manifests:
            key = identity(manifest)
            inventory.objects.setdefault(key, []).append((kustomization, manifest))
            if (key.group, key.kind) == (HELM_GROUP, HELM_RELEASE):
                inventory.open.update([] if is_rendered(kustomization.node, manifest) else [release_namespace(manifest)])
            elif not is_built_in(key.group) and not is_flux(key.group):
                inventory.open.add(key.namespace)
    return inventory


def is_rendered(node: Node, release: Manifest) -> bool:
    """Whether the chart of a HelmRelease is in the repository, so that its objects are among the node's."""
    name = release.id
    return any(each.id == name and each.state is NodeState.BUILT for each in node.releases)


def release_namespace(release: Manifest) -> str:
    """The namespace of a HelmRelease's objects."""
    return str(release.mapping("spec").get("targetNamespace") or release.namespace)


def _creates_namespace(release: Manifest) -> bool:
    return bool(release.mapping("spec", "install").get("createNamespace"))
