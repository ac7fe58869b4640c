"""The clusters that an environment applies objects to: its own, and those of spec.kubeConfig. No I/O."""

from collections.abc import Mapping
from typing import Any

from devloop.model.flux.graph import Graph
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.kubernetes.objects import ObjectId

# The kubeconfigs on the way from the environment's own cluster, which is ().
Cluster = tuple[str, ...]
OWN: Cluster = ()


def target(spec: Mapping[str, Any], namespace: str, home: Cluster) -> Cluster:
    """Where a Kustomization or HelmRelease in the cluster `home` applies its objects."""
    for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
        reference = mapping_at(spec, "kubeConfig", field)
        if name := reference.get("name"):
            key = f" ({reference['key']})" if reference.get("key") else ""
            return (*home, f"{kind} {namespace}/{name}{key}")
    return home


def targets(graph: Graph) -> dict[ObjectId, Cluster]:
    """Where each Kustomization applies its objects; it lives where its parent applies."""
    found: dict[ObjectId, Cluster] = {}
    for node in graph:  # parents come before what they render
        kustomization = node.kustomization
        home = found.get(node.parent, OWN) if node.parent else OWN
        found[kustomization.id] = target(kustomization.spec, kustomization.id.namespace, home)
    return found


def is_within(cluster: Cluster, other: Cluster) -> bool:
    """Whether the cluster is `other`, or one that is managed from there."""
    return cluster[: len(other)] == other
