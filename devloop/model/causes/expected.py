"""What a revision renders, and so what has to be in the cluster. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from devloop.model.causes.cause import ObjectRef
from devloop.model.flux.clusters import OWN, target, targets
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION, KUSTOMIZE_GROUP, is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId

_NOT_APPLIED = {(f"{KUSTOMIZE_GROUP}/reconcile", "disabled"), (f"{KUSTOMIZE_GROUP}/ssa", "ignore")}
HOOKS = "helm.sh/hook"


class ExpectedObject(NamedTuple):
    """`kustomization` (namespace/name) applies it, or the HelmRelease `release` of that Kustomization."""

    group: str
    kind: str
    namespace: str
    name: str
    kustomization: str
    release: str = ""

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.kind, self.namespace, self.name)

    @property
    def owner(self) -> ObjectRef:
        """The HelmRelease or Kustomization that applies it."""
        kind, name = (HELM_RELEASE, self.release) if self.release else (KUSTOMIZATION, self.kustomization)
        return ObjectRef(kind, *name.split("/", 1))


@dataclass(frozen=True)
class Expected:
    """`kustomizations` that should exist, each with its parent and dependencies; `excluded` ones do not count. `sources` are the
    GitRepositories that have to be at the revision."""

    revision: str
    kustomizations: Mapping[ObjectId, Sequence[ObjectId]]
    excluded: frozenset[ObjectId] = frozenset()
    objects: tuple[ExpectedObject, ...] = ()
    sources: tuple[ObjectId, ...] = ()

    @classmethod
    def of(cls, graph: Graph, revision: str, is_removed: Callable[[Node, Manifest], bool] = lambda *_: False) -> Expected:
        """`is_removed`: objects that devloop itself takes out of a Kustomization."""
        return cls(
            revision,
            {node.kustomization.id: _before(node) for node in graph},
            frozenset(node.kustomization.id for node in graph if node.kustomization.excluded),
            tuple(_objects(graph, is_removed)),
            graph.own_git_repositories,
        )

    @cached_property
    def _by_owner(self) -> Mapping[ObjectRef, frozenset[ObjectRef]]:
        refs: dict[ObjectRef, set[ObjectRef]] = {}
        for each in self.objects:
            namespace = each.namespace or each.release.partition("/")[0]
            refs.setdefault(each.owner, set()).add(ObjectRef(each.kind, namespace, each.name))
        return {owner: frozenset(found) for owner, found in refs.items()}

    @cached_property
    def refs(self) -> frozenset[ObjectRef]:
        """Every object that is rendered."""
        return frozenset().union(*self._by_owner.values())

    @cached_property
    def has_operators(self) -> bool:
        """Whether there are custom resources of others than Flux, whose operators make what nothing renders."""
        return any("." in each.group and not (is_built_in(each.group) or is_flux(each.group)) for each in self.objects)

    def has(self, ref: ObjectRef, owner: ObjectRef) -> bool:
        """Whether the owner (a Kustomization or HelmRelease) renders the object; True for an owner of which nothing is known."""
        known = self._by_owner.get(owner)
        return known is None or ref in known

    def knows(self, release: ObjectRef) -> bool:
        """Whether the objects of a HelmRelease are known."""
        return release in self._by_owner

    def to_json(self) -> dict[str, Any]:
        """Names alone, no content of the objects."""
        return {
            "revision": self.revision,
            "kustomizations": {str(name): [str(each) for each in before] for name, before in self.kustomizations.items()},
            "excluded": sorted(map(str, self.excluded)),
            "objects": [list(each) for each in self.objects],
            "sources": list(map(str, self.sources)),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Expected:
        """Raises ValueError, TypeError or KeyError for a document that `to_json` did not write."""
        return cls(
            str(document["revision"]),
            {ObjectId.parse(name): tuple(map(ObjectId.parse, before)) for name, before in document["kustomizations"].items()},
            frozenset(map(ObjectId.parse, document["excluded"])),
            tuple(ExpectedObject(*map(str, each)) for each in document["objects"]),
            tuple(map(ObjectId.parse, document["sources"])),
        )


def _before(node: Node) -> tuple[ObjectId, ...]:
    return ((node.parent,) if node.parent else ()) + node.kustomization.depends_on


def _objects(graph: Graph, is_removed: Callable[[Node, Manifest], bool]) -> Iterator[ExpectedObject]:
    """Of the environment's own cluster, of Kustomizations and HelmReleases that are reconciled; without what Flux is configured to skip."""
    cluster = targets(graph)
    suspended: set[ObjectId] = set()
    for node in graph:
        kustomization = node.kustomization
        if kustomization.suspended or kustomization.excluded or node.parent in suspended:
            suspended.add(kustomization.id)
        elif node.state is NodeState.BUILT and cluster[kustomization.id] == OWN:
            left_out = _left_out(node)
            for manifest in node.manifests:
                if _is_applied(manifest) and manifest.release not in left_out and not is_removed(node, manifest):
                    names = (manifest.namespace, manifest.name, str(kustomization.id), manifest.release)
                    yield ExpectedObject(manifest.group, manifest.kind, *names)


def _left_out(node: Node) -> frozenset[str]:
    """HelmReleases (namespace/name) that are suspended or apply to another cluster."""
    releases = (manifest for manifest in node.manifests if is_helm_release(manifest))
    return frozenset(
        str(m.id) for m in releases if m.mapping("spec").get("suspend") or target(m.mapping("spec"), m.id.namespace, OWN) != OWN
    )


def _is_applied(manifest: Manifest) -> bool:
    """Hooks and Jobs that delete themselves are gone when they have finished."""
    annotations = manifest.mapping("metadata", "annotations")
    excluded = any(str(annotations.get(key, "")).lower() == value for key, value in _NOT_APPLIED)
    finishes = manifest.kind == "Job" and manifest.mapping("spec").get("ttlSecondsAfterFinished") is not None
    return bool(manifest.name) and not (excluded or finishes or (manifest.release and HOOKS in annotations))
