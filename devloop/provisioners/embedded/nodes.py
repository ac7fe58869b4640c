"""The Node objects that kwok simulates, with the names, labels and taints of Kind."""

import platform
from collections import Counter
from typing import Any

from devloop.clients.kube import NODES, Kube, Resource
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration

LEASES = Resource("coordination.k8s.io/v1", "leases")
LEASES_NAMESPACE = "kube-node-lease"

CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"

# Simulated nodes run nothing, so they can be larger than any platform requires.
CAPACITY = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500"}

# Kernel -> Go and Kubernetes.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def apply_nodes(kube: Kube, nodes: list[dict[str, Any]]) -> None:
    """Create these nodes and delete all others."""
    kube.apply_all(nodes)
    wanted = {node["metadata"]["name"] for node in nodes}
    for name in {node["metadata"]["name"] for node in kube.list(NODES)} - wanted:
        kube.request("DELETE", NODES.path(name=name))


def release_nodes(kube: Kube) -> None:
    """Lets a new kwok have the nodes at once: it would wait until the leases of the last one expire."""
    kube.request("DELETE", LEASES.path(LEASES_NAMESPACE))


def nodes_of(definition: ClusterDefinition, version: str) -> list[dict[str, Any]]:
    """One object per node of the definition; `version` is the kubelet's, such as v1.36.4."""
    seen: Counter[str] = Counter()
    has_workers = any(node.role != "control-plane" for node in definition.nodes)
    result = []
    for node in definition.nodes:
        seen[node.role] += 1
        number = str(seen[node.role]) if seen[node.role] > 1 else ""
        result.append(_node(f"{definition.name}-{node.role}{number}", node, version, has_workers=has_workers))
    return result


def _node(name: str, node: NodeConfiguration, version: str, *, has_workers: bool) -> dict[str, Any]:
    is_control_plane = node.role == "control-plane"
    # As in Kind, ordinary pods run on control planes only if there are no workers.
    taints = [{"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}] if is_control_plane and has_workers else []
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(name) | ({CONTROL_PLANE_LABEL: ""} if is_control_plane else {}) | dict(node.labels)},
        "spec": {"taints": taints},
        "status": {"capacity": CAPACITY, "allocatable": CAPACITY, "nodeInfo": _node_info(version)},
    }


def _labels(name: str) -> dict[str, str]:
    own = {"kubernetes.io/hostname": name}
    for prefix in ("kubernetes.io", "beta.kubernetes.io"):
        own |= {f"{prefix}/os": "linux", f"{prefix}/arch": _architecture()}
    return own


def _architecture() -> str:
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def _node_info(version: str) -> dict[str, str]:
    unknown = ("bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "machineID", "osImage", "systemUUID")
    return {**dict.fromkeys(unknown, ""), "architecture": _architecture(), "operatingSystem": "linux", "kubeletVersion": version}
