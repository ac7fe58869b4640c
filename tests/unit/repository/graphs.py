"""Objects of repositories, and what a graph has of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Graph, Node
from devloop.model.kubernetes.objects import ObjectId

SETTINGS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "flux-system"},
    "data": {},
}


Survey = Callable[..., Graph]


def environment(root: Path, source: str = ".", entry: str = "cluster", name: str = "local") -> Environment:
    return Environment(name, root, ClusterDefinition(name, "G3", "ksail.yaml", source_directory=source, entry_path=entry))


def flux(
    name: str, path: str = "./apps", source: str = "GitRepository/flux-system", namespace: str = "flux-system", **spec: Any
) -> dict[str, Any]:
    kind, source_name = source.split("/")
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"path": path, "sourceRef": {"kind": kind, "name": source_name}, "interval": "1h", "prune": True} | spec,
    }


def settings(name: str = "settings", **data: str) -> dict[str, Any]:
    return SETTINGS | {"metadata": {"name": name, "namespace": "flux-system"}, "data": data}


def states(graph: Graph) -> dict[str, str]:
    return {node.kustomization.id.name: str(node.state) for node in graph}


def named(graph: Graph, name: str, namespace: str = "flux-system") -> Node:
    return graph.by_id[ObjectId(namespace, name)]
