"""What Kind is told: the user's kind.yaml, completed by the KSail definition and by what devloop needs. Pure.

https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.model.cluster.kind_config import API_VERSION, port_mapping
from devloop.provisioners.kind.tuning import cluster_patch, init_patch, kubelet_patch, version_of

Configuration = dict[str, Any]

EARLY_NETWORK = "devloop.dev/network"

# Where Kind itself gets the image of a node from, by Kubernetes version.
UPSTREAM_NODE = "kindest/node"


def node_image(definition: ClusterDefinition, own: str, own_version: str) -> str:
    """The image of nodes that name none: our `own` ('' where it was not made) where it is of the wanted version, Kind's for that version,
    '' for whatever Kind takes by itself. Versions with or without a leading v."""
    wanted = definition.kubernetes_version.removeprefix("v")
    if own and wanted in ("", own_version.removeprefix("v")):
        return own
    return f"{UPSTREAM_NODE}:v{wanted}" if wanted.count(".") == 2 else ""


def configuration(definition: ClusterDefinition, image: str, own: str = "") -> Configuration:
    """The whole configuration, as plain data; `image` is for nodes that name none, `own` the image that this machine made, if it did."""
    written = dict(definition.kind_config)
    patches = [*_patches(definition, image, own), *written.get("kubeadmConfigPatches", ())]
    return {
        **written,
        "apiVersion": API_VERSION,
        "kind": "Cluster",
        "name": definition.name,
        "networking": _networking(definition, written.get("networking") or {}),
        "nodes": [_node(definition, index, node, image, own) for index, node in enumerate(definition.nodes)],
        "kubeadmConfigPatches": patches,
    }


def described(definition: ClusterDefinition) -> Configuration:
    """What the definition decides of a cluster, without what devloop chooses itself: when it changes, the cluster no longer fits."""
    written = definition.kind_config.get("kubeadmConfigPatches", [])
    return {**configuration(definition, ""), "kubeadmConfigPatches": written, "kubernetesVersion": definition.kubernetes_version}


def _patches(definition: ClusterDefinition, image: str, own: str) -> list[str]:
    """Those that make it quick, as texts that are valid YAML; the user's own come after them."""
    planes = [node for node in definition.nodes if node.role == "control-plane"]
    chosen, networking = planes[0].image or image, definition.kind_config.get("networking") or {}
    version, is_ipv4 = version_of(chosen), networking.get("ipFamily", "ipv4") == "ipv4"
    cluster = cluster_patch(version, control_planes=len(planes), ipv4=is_ipv4)
    init = init_patch(networking, nodes=len(definition.nodes)) if chosen and chosen == own else {}
    return [json.dumps(patch) for patch in (cluster, init, kubelet_patch(version)) if patch]


def _networking(definition: ClusterDefinition, written: Mapping[str, Any]) -> Configuration:
    network = definition.network
    family = written.get("ipFamily", "ipv4")
    subnets = {} if family != "ipv4" else {"podSubnet": network.pod_subnet, "serviceSubnet": network.service_subnet}
    # Nobody but this user of this machine may reach the API server.
    return {**subnets, **written, "apiServerAddress": LOOPBACK, **({"disableDefaultCNI": True} if _brings_cni(definition) else {})}


def _brings_cni(definition: ClusterDefinition) -> bool:
    """Whether the repository has a CNI of its own."""
    return definition.network.cni not in ("Default", "") or definition.network.disable_default_cni


def _node(definition: ClusterDefinition, index: int, node: NodeConfiguration, image: str, own: str) -> Configuration:
    result: Configuration = {**node.raw, "role": node.role}
    if chosen := node.image or image:
        result["image"] = chosen
    # With it, a control plane of our own image has its network before Kind applies the manifest of its CNI.
    early = {EARLY_NETWORK: "default"} if chosen and chosen == own and node.role == "control-plane" and not _brings_cni(definition) else {}
    if labels := {**early, **node.labels}:
        result["labels"] = labels
    # Ports that ksail.yaml itself maps lead to the first node, as KSail has it.
    extra = _own_mappings(definition) if index == 0 else []
    if mappings := [*map(_mapping, node.raw.get("extraPortMappings", ())), *extra]:
        result["extraPortMappings"] = mappings
    return result


def _own_mappings(definition: ClusterDefinition) -> list[Configuration]:
    of_nodes = {mapping for node in definition.nodes for mapping in node.port_mappings}
    own = [mapping for mapping in definition.network.port_mappings if mapping not in of_nodes]
    return [
        {"containerPort": m.container_port, "hostPort": m.host_port, "protocol": m.protocol, "listenAddress": m.listen_address} for m in own
    ]


def _mapping(raw: Mapping[str, Any]) -> Configuration:
    return {**raw, "listenAddress": port_mapping(raw).listen_address}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two configurations, one line each: 'nodes[1].image: a -> b'."""
    return list(_differences("", before, now))


def _differences(place: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from _differences(f"{place}.{key}" if place else str(key), before.get(key), now.get(key))
    elif isinstance(before, list) and isinstance(now, list):
        for index in range(max(len(before), len(now))):
            pair = (items[index] if index < len(items) else None for items in (before, now))
            yield from _differences(f"{place}[{index}]", *pair)
    elif before != now:
        yield f"{place}: {_shown(before)} -> {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (Mapping, list)):
        return "other settings" if len(str(value)) > 60 else str(value)
    return " ".join(str(value).split())[:60]


def taken_ports(definition: ClusterDefinition) -> list[tuple[str, int]]:
    """(address, port) of every TCP port of the host that the nodes ask for."""
    return [(m.listen_address, m.host_port) for m in definition.network.port_mappings if m.host_port and m.protocol == "TCP"]
