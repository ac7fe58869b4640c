"""Kind's configuration: the user's kind.yaml, completed from the KSail definition and with devloop's settings. Pure.

https://kind.sigs.k8s.io/docs/user/configuration/
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.model.cluster.kind_config import API_VERSION, port_mapping
from devloop.provisioners.kind.tuning import cluster_patch, init_patch, kubelet_patch, version_of

Configuration = dict[str, Any]
EARLY_NETWORK = "devloop.dev/network"


def configuration(definition: ClusterDefinition, image: str, own: str = "") -> Configuration:
    """The complete configuration; `image` is the default of nodes, `own` the locally built node image or ''."""
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
    """The part that the definition decides, without devloop's choices: if it changes, the cluster must be recreated."""
    written = definition.kind_config.get("kubeadmConfigPatches", [])
    return {**configuration(definition, ""), "kubeadmConfigPatches": written, "kubernetesVersion": definition.kubernetes_version}


def _patches(definition: ClusterDefinition, image: str, own: str) -> list[str]:
    """Patches that make the cluster faster, as YAML; the user's come after them."""
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
    # The API server is reachable from this machine only.
    return {**subnets, **written, "apiServerAddress": LOOPBACK, **({"disableDefaultCNI": True} if _brings_cni(definition) else {})}


def _brings_cni(definition: ClusterDefinition) -> bool:
    """Whether the repository installs the CNI."""
    return definition.network.cni not in ("Default", "") or definition.network.disable_default_cni


def _node(definition: ClusterDefinition, index: int, node: NodeConfiguration, image: str, own: str) -> Configuration:
    result: Configuration = {**node.raw, "role": node.role}
    if chosen := node.image or image:
        result["image"] = chosen
    # With this label, our own node image sets up the network before Kind applies its CNI manifest.
    early = {EARLY_NETWORK: "default"} if chosen and chosen == own and node.role == "control-plane" and not _brings_cni(definition) else {}
    if labels := {**early, **node.labels}:
        result["labels"] = labels
    # Like KSail, map the ports of ksail.yaml to the first node.
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
    """The differences of two configurations, such as 'nodes[1].image: a -> b'."""
    return list(_differences("", before, now))


def _differences(path: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from _differences(f"{path}.{key}" if path else str(key), before.get(key), now.get(key))
    elif isinstance(before, list) and isinstance(now, list):
        for index in range(max(len(before), len(now))):
            pair = (items[index] if index < len(items) else None for items in (before, now))
            yield from _differences(f"{path}[{index}]", *pair)
    elif before != now:
        yield f"{path}: {_shown(before)} -> {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (Mapping, list)):
        return "other settings" if len(str(value)) > 60 else str(value)
    return " ".join(str(value).split())[:60]


def host_ports(definition: ClusterDefinition) -> list[tuple[str, int]]:
    """(address, port) of all TCP ports that the nodes map on the host."""
    return [(m.listen_address, m.host_port) for m in definition.network.port_mappings if m.host_port and m.protocol == "TCP"]
