"""The objects that the repository makes, by name. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.observed import Observed, metadata
from devloop.model.flux.graph import Graph, Node, Release
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION
from devloop.model.flux.reconciliation import owner_of
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId

MOST_OWNERS = 5  # of owners of owners

Owners = Callable[[ObjectRef], Iterator[ObjectRef]]


class RenderedObject(NamedTuple):
    """An object and the Kustomization that renders it."""

    node: Node
    manifest: Manifest


class Rendered:
    """All objects of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._found: dict[ObjectRef, list[RenderedObject]] = {}
        for node in graph:
            for manifest in node.manifests:
                for namespace in _namespaces(manifest):
                    ref = ObjectRef(manifest.kind, namespace, manifest.name)
                    self._found.setdefault(ref, []).append(RenderedObject(node, manifest))

    def find(self, ref: ObjectRef, kustomization: str = "") -> RenderedObject | None:
        """The object, preferably that of `kustomization` (namespace/name)."""
        found = self._found.get(ref, [])
        return next((each for each in found if str(each.node.kustomization.id) == kustomization), found[0] if found else None)

    def named(self, kind: str, name: str, *, kustomization: str = "", release: str = "") -> RenderedObject | None:
        """An object of a Kustomization or a release by its kind, in any case, and its name."""
        for node in self.graph:
            for manifest in node.manifests if kustomization in ("", str(node.kustomization.id)) else ():
                same = (manifest.kind.lower(), manifest.name) == (kind.lower(), name)
                if same and (not release or manifest.release == release):
                    return RenderedObject(node, manifest)
        return None

    def node(self, kustomization: str) -> Node | None:
        namespace, _, name = kustomization.partition("/")
        return self.graph.by_id.get(ObjectId(namespace, name))

    def release(self, ref: ObjectRef) -> Release | None:
        wanted = ObjectId(ref.namespace, ref.name)
        return next((each for node in self.graph for each in node.releases if each.id == wanted), None)


def _namespaces(manifest: Manifest) -> set[str]:
    """Those by which the object may be known: its own, or what it gets without one."""
    if manifest.namespace:
        return {manifest.namespace}
    return {"", "default", manifest.release.partition("/")[0]}


def owners_in(observed: Observed) -> Owners:
    """Finds the owners of an object of the cluster: of its metadata, else the HelmRelease or Kustomization that applied it."""

    def owners(ref: ObjectRef) -> Iterator[ObjectRef]:
        for _ in range(MOST_OWNERS):
            obj = observed.get(ref)
            if obj is None:
                return
            above = next(iter(metadata(obj).get("ownerReferences") or ()), None)
            found = ObjectRef(str(above.get("kind", "")), ref.namespace, str(above.get("name", ""))) if above else owner_of(obj)
            if found is None or found.kind == KUSTOMIZATION:
                return
            yield found
            if found.kind == HELM_RELEASE:
                return
            ref = found

    return owners


def no_owners(_: ObjectRef) -> Iterator[ObjectRef]:
    """For causes without a cluster."""
    return iter(())
