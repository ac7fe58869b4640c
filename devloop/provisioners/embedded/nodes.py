"""The Node objects that kwok brings to life: named, labelled and sized as Kind would have them."""

from __future__ import annotations

from typing import Any

from devloop.model.definition import ClusterDefinition, NodeConfiguration

# Simulated nodes run nothing: they are large enough for whatever a platform asks for.
CAPACITY = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500"}


def nodes(definition: ClusterDefinition, version: str) -> list[dict[str, Any]]:
    """One object a node of the definition; `version` is the kubelet's, as v1.36.3."""
    counts: dict[str, int] = {}
    result = []
    tainted = any(node.role != "control-plane" for node in definition.nodes)
    for node in definition.nodes:
        counts[node.role] = counts.get(node.role, 0) + 1
        number = str(counts[node.role]) if counts[node.role] > 1 else ""
        result.append(_node(f"{definition.name}-{node.role}{number}", node, version, tainted=tainted))
    return result


def _node(name: str, node: NodeConfiguration, version: str, *, tainted: bool) -> dict[str, Any]:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
        **({"node-role.kubernetes.io/control-plane": ""} if node.role == "control-plane" else {}),
        **node.labels,
    }
    # As in Kind, a control plane takes ordinary pods only where there is no worker.
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}] if node.role == "control-plane" and tainted else []
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": taints} if taints else {},
        "status": {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "nodeInfo": _node_info(version),
        },
    }


def _node_info(version: str) -> dict[str, str]:
    unknown = dict.fromkeys(
        ("bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "machineID", "osImage", "systemUUID"), ""
    )
    return {**unknown, "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": version}
