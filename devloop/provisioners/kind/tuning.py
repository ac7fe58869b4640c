"""Kubeadm patches that make the control plane of a small, short-lived cluster faster. Pure.

https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ and v1beta3.
"""

import re
from collections.abc import Mapping
from typing import Any

from devloop.runtime.components import QUICK_LISTS

Version = tuple[int, int]

_LISTS_FROM: Version = (1, 36)  # Kind then writes v1beta4: arguments are lists, not mappings, and a patch replaces the whole list
_FAIL_CGROUP_V1_FROM: Version = (1, 31)
PATCHES = "/kind/patches"  # in our own node image; they make cluster DNS start faster
_JOIN_PHASES = ("bootstrap-token", "kubelet-finalize", "show-join-command")
_KEYS = "ECDSA-P256"  # generating the default RSA keys takes one or two seconds

# Losing the last writes in a power cut is fine; the only member elects itself after 200 ms.
_ETCD = {"unsafe-no-fsync": "true", "heartbeat-interval": "20", "election-timeout": "200"}
# The defaults (20 and 50 per second) throttle the thousands of requests in the first seconds.
_CLIENT = {"kube-api-qps": "200", "kube-api-burst": "300"}
_ALONE = {"leader-elect": "false"}
# Set by Kind; a list would drop it.
_KINDS_OWN = {"enable-hostpath-provisioner": "true"}
_SYNCS = {"concurrent-deployment-syncs": "10", "concurrent-replicaset-syncs": "10"}
# After a pause, a kubelet says that the container runtime is down, and by default takes ten seconds to say that it is up again.
# A status that does not change is reported as rarely as by default.
_STATUS = {"nodeStatusUpdateFrequency": "1s", "nodeStatusReportFrequency": "5m"}
_ENVIRONMENT = {"GOGC": "400", **QUICK_LISTS}


def version_of(image: str) -> Version | None:
    """(1, 36) from an image tag such as v1.36.4, else None."""
    tag = re.search(r":v?(\d+)\.(\d+)(?:\.\d+)?(?:@|$)", image)
    return (int(tag[1]), int(tag[2])) if tag else None


def cluster_patch(version: Version | None, *, control_planes: int, ipv4: bool) -> Mapping[str, Any]:
    """A patch of kubeadm's ClusterConfiguration; empty if the version, and so its format, is unknown.

    Without IPv4, Kind itself sets other addresses in the arguments of the components, so they are left unchanged.
    """
    if version is None:
        return {}
    alone = _ALONE if control_planes == 1 else {}
    etcd = _ETCD if control_planes == 1 else {"unsafe-no-fsync": "true"}
    parts = {"controllerManager": {**_KINDS_OWN, **_CLIENT, **_SYNCS, **alone}, "scheduler": {**_CLIENT, **alone}} if ipv4 else {}
    if version < _LISTS_FROM:
        own = {part: {"extraArgs": arguments} for part, arguments in parts.items()}
        return {"kind": "ClusterConfiguration", "etcd": {"local": {"extraArgs": etcd}}, **own}
    lists: dict[str, Any] = {part: {"extraArgs": _named(arguments), "extraEnvs": _named(_ENVIRONMENT)} for part, arguments in parts.items()}
    lists["apiServer"] = {"extraEnvs": _named(_ENVIRONMENT)}
    return {"kind": "ClusterConfiguration", "encryptionAlgorithm": _KEYS, "etcd": {"local": {"extraArgs": _named(etcd)}}, **lists}


def init_patch(networking: Mapping[str, Any], *, nodes: int) -> Mapping[str, Any]:
    """A patch of kubeadm's InitConfiguration for our own node image, with its PATCHES; a single node skips the phases for joining.

    `networking` is the one of Kind's configuration.
    """
    phases = ["preflight", *(["addon/kube-proxy"] if networking.get("kubeProxyMode") == "none" else [])]
    skipped = {"skipPhases": [*phases, *_JOIN_PHASES]} if nodes == 1 else {}
    return {"kind": "InitConfiguration", "patches": {"directory": PATCHES}, **skipped}


def kubelet_patch(version: Version | None) -> Mapping[str, Any]:
    """Pull images in parallel; be ready soon after a pause; allow cgroup v1, which kubelets refuse by default since 1.35."""
    cgroups = {"failCgroupV1": False} if version and version >= _FAIL_CGROUP_V1_FROM else {}
    return {"kind": "KubeletConfiguration", "serializeImagePulls": False, **_STATUS, **cgroups}


def _named(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
