"""Reads kind.yaml (kind.x-k8s.io/v1alpha4): https://kind.sigs.k8s.io/docs/user/configuration/"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.definition import NodeConfiguration, PortMapping
from devloop.model.messages import quote
from devloop.model.yaml.nodes import parse_yaml
from devloop.model.yaml.other_formats import other_format_problem
from devloop.model.yaml.schema import BOOLEAN, LABELS, FieldSchema, table, words
from devloop.model.yaml.validation import ValidationResult, lookup, validate_fields

API_VERSION = "kind.x-k8s.io/v1alpha4"

# Go's YAML reader takes any scalar for a string.
TEXT = FieldSchema(any_scalar=True)
TEXTS = FieldSchema(("texts",), any_scalar=True)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_EVERYWHERE = ipaddress.IPv4Address("0.0.0.0")
_PATCH = {"group": TEXT, "version": TEXT, "kind": TEXT, "patch": TEXT}
_NODE_PORT = FieldSchema(("integer",), lowest=1, highest=65535, required=True)
# 0 and -1: a random free port.
_HOST_PORT = FieldSchema(("integer",), lowest=-1, highest=65535)

FIELDS = table(
    {
        "": {
            "apiVersion": replace(words(API_VERSION), required=True),
            "kind": replace(words("Cluster"), required=True),
            "name": replace(TEXT, pattern=r"[a-z0-9.-]+", longest=50, example="lower case letters, digits, dashes and dots"),
            "featureGates": FieldSchema(("flags",)),
            "runtimeConfig": LABELS,
            **dict.fromkeys(("kubeadmConfigPatches", "containerdConfigPatches", "containerdConfigPatchesJSON6902"), TEXTS),
        },
        "kubeadmConfigPatchesJSON6902[]": _PATCH,
        "nodes[]": {"role": words("control-plane", "worker"), "image": TEXT, "labels": LABELS, "kubeadmConfigPatches": TEXTS},
        "nodes[].kubeadmConfigPatchesJSON6902[]": _PATCH,
        "nodes[].extraMounts[]": {
            **dict.fromkeys(("hostPath", "containerPath"), replace(TEXT, required=True)),
            **dict.fromkeys(("readOnly", "selinuxRelabel"), BOOLEAN),
            "propagation": words("None", "HostToContainer", "Bidirectional"),
        },
        "nodes[].extraPortMappings[]": {
            "containerPort": _NODE_PORT,
            "hostPort": _HOST_PORT,
            "listenAddress": TEXT,
            "protocol": replace(words("TCP", "UDP", "SCTP"), any_case=True),
        },
        "networking": {
            "ipFamily": words("ipv4", "ipv6", "dual"),
            "apiServerPort": _HOST_PORT,
            **dict.fromkeys(("apiServerAddress", "podSubnet", "serviceSubnet"), TEXT),
            "disableDefaultCNI": BOOLEAN,
            "kubeProxyMode": words("iptables", "ipvs", "nftables", "none"),
            "dnsSearch": TEXTS,
        },
    }
)


@dataclass(frozen=True)
class KindConfiguration:
    """One kind.yaml; what it does not set is empty. `raw` is the file as plain data."""

    path: str
    name: str = ""
    nodes: tuple[NodeConfiguration, ...] = ()
    disable_default_cni: bool = False
    pod_subnet: str = ""
    service_subnet: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def kubernetes_version(self) -> str:
        """The version in the tag of the first node's image, or ''."""
        tag = re.search(r":(v?\d+\.\d+(\.\d+)?)(@|$)", self.nodes[0].image) if self.nodes else None
        return tag[1] if tag else ""


def read_kind(text: str, path: str, variables: Mapping[str, str]) -> KindConfiguration:
    """Invalid values are reported as `problems`; raises InputError if the file is not a Kind configuration."""
    root, problems = parse_yaml(text, path)
    if other_format := other_format_problem(root, path, "a Kind configuration", API_VERSION):
        raise InputError.of([other_format])
    checked = validate_fields(root, FIELDS, path, variables)
    networking = checked.data.get("networking", {})
    return KindConfiguration(
        path,
        name=checked.data.get("name", ""),
        nodes=tuple(_node(raw) for raw in checked.data.get("nodes", ())),
        disable_default_cni=networking.get("disableDefaultCNI", False),
        pod_subnet=networking.get("podSubnet", ""),
        service_subnet=networking.get("serviceSubnet", ""),
        raw=checked.data,
        lines=checked.lines,
        problems=(*problems, *checked.problems, *_inconsistencies(checked, path)),
        warnings=checked.warnings,
    )


def _node(raw: Mapping[str, Any]) -> NodeConfiguration:
    return NodeConfiguration(
        role=raw.get("role") or "control-plane",
        image=raw.get("image", ""),
        labels=raw.get("labels", {}),
        port_mappings=tuple(port_mapping(mapping) for mapping in raw.get("extraPortMappings", ())),
        raw=raw,
    )


def port_mapping(raw: Mapping[str, Any]) -> PortMapping:
    """A port mapping of Kind or KSail. Kind listens on all addresses by default, devloop on the loopback address."""
    return PortMapping(
        container_port=raw.get("containerPort", 0),
        host_port=max(0, raw.get("hostPort", 0)),
        protocol=raw.get("protocol") or "TCP",
        listen_address=raw.get("listenAddress") or "127.0.0.1",
    )


def _inconsistencies(checked: ValidationResult, path: str) -> Iterator[Diagnostic]:
    """What the table of fields cannot express."""
    family = lookup(checked.data, "networking.ipFamily") or "ipv4"
    for key in ("networking.podSubnet", "networking.serviceSubnet"):
        if (subnets := lookup(checked.data, key)) and (wrong := _wrong_with_subnets(subnets, family)):
            yield Diagnostic.at(path, checked.lines[key], f"{key} is {quote(subnets)}, it must be {wrong}")
    nodes = checked.data.get("nodes", ())
    if nodes and not any(node.get("role", "control-plane") == "control-plane" for node in nodes):
        yield Diagnostic.at(path, checked.lines["nodes"], "nodes has no control-plane", "add `- role: control-plane`")
    used: dict[tuple[int, str], dict[Address, str]] = {}
    for where, mapping, written in _host_ports(nodes):
        if (address := _address(written)) is None:
            hint = "write 127.0.0.1" if written == "localhost" else ""
            message = f"{where}.listenAddress is {quote(written)}, it must be an IP address"
            yield Diagnostic.at(path, checked.lines[f"{where}.listenAddress"], message, hint)
            continue
        taken = used.setdefault((mapping.host_port, mapping.protocol), {})
        first = next((other for known, other in taken.items() if known == address or _EVERYWHERE in (known, address)), "")
        taken.setdefault(address, where)
        if first:
            message = f"{where}.hostPort is {mapping.host_port}, which {first} in line {checked.lines[first]} already uses"
            yield Diagnostic.at(path, checked.lines[where], message)


def _host_ports(nodes: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, PortMapping, str]]:
    """Every mapping with a fixed host port, its path in the file, and its address as written, by default Kind's: all addresses."""
    for index, node in enumerate(nodes):
        for number, raw in enumerate(node.get("extraPortMappings", ())):
            mapping = port_mapping(raw)
            if mapping.host_port:
                yield f"nodes[{index}].extraPortMappings[{number}]", mapping, raw.get("listenAddress") or str(_EVERYWHERE)


def _address(text: str) -> Address | None:
    """None if it is not an IP address; :: means all addresses too."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return _EVERYWHERE if address.is_unspecified else address


def _wrong_with_subnets(text: str, family: str) -> str:
    """What they must be for Kind, '' if they are right: one of the family, or up to two of different families for dual."""
    try:
        networks = [ipaddress.ip_network(each, strict=False) for each in text.split(",")]
    except ValueError:
        return "a subnet like 10.244.0.0/16" + (", without blanks" if " " in text else "")
    versions = [network.version for network in networks]
    if not all("/" in each for each in text.split(",")):
        return "a subnet like 10.244.0.0/16"
    if family == "dual":
        return "" if len(versions) == len({*versions}) else "one subnet, or one of each family"
    expected = 6 if family == "ipv6" else 4
    return "" if versions == [expected] else f"one IPv{expected} subnet, because networking.ipFamily is {family}"
