"""What makes the control plane of a small, short-lived cluster quick: kubeadm settings, handed over as Kind's patches. Pure.

https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ and v1beta3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Version = tuple[int, int]

# From this one on Kind writes v1beta4, where arguments are lists; a patch replaces a list as a whole. Before, they are mappings.
_LISTS_FROM: Version = (1, 36)

# The first kubelet that has the field failCgroupV1.
_KNOWS_OLD_GROUPS: Version = (1, 31)

# In our own node image: what makes cluster DNS answer within seconds.
PATCHES = "/kind/patches"
_FOR_OTHERS = ("bootstrap-token", "kubelet-finalize", "show-join-command")

# Sixteen keys that take a moment to make, instead of the default's second or two.
_KEYS = "ECDSA-P256"

# Losing the last writes in a power cut is fine; the only member elects itself as soon as it may (milliseconds).
_ETCD = {"unsafe-no-fsync": "true", "heartbeat-interval": "20", "election-timeout": "200"}
# The first seconds of a cluster are thousands of requests, which the defaults (20 and 50 a second) would spread.
_CLIENT = {"kube-api-qps": "200", "kube-api-burst": "300"}
# The only one of its kind need not wait for a lease.
_ALONE = {"leader-elect": "false"}
# What Kind itself sets, and what a list would drop.
_KINDS_OWN = {"enable-hostpath-provisioner": "true"}
_SYNCS = {"concurrent-deployment-syncs": "10", "concurrent-replicaset-syncs": "10"}
# Fewer collections; a plain list answers at once, one by watching waits for a bookmark (KEP-3157, a feature gate of client-go).
_ENVIRONMENT = {"GOGC": "400", "KUBE_FEATURE_WatchListClient": "false"}


def version_of(image: str) -> Version | None:
    """(1, 36) of an image's tag like v1.36.3, None where it says nothing of the kind."""
    tag = re.search(r":v?(\d+)\.(\d+)(?:\.\d+)?(?:@|$)", image)
    return (int(tag[1]), int(tag[2])) if tag else None


def cluster_patch(version: Version | None, *, control_planes: int, ipv4: bool) -> Mapping[str, Any]:
    """A patch of kubeadm's ClusterConfiguration; an empty one where nobody knows which form of it the node's kubeadm reads.

    Kind itself gives other addresses to the components of a cluster without IPv4: their arguments are left alone there.
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


def init_patch(written: Mapping[str, Any], *, nodes: int) -> Mapping[str, Any]:
    """A patch of kubeadm's InitConfiguration for nodes of our own image, which has a folder of patches for what kubeadm itself installs.

    `written` is Kind's own networking. A single node needs none of the phases that other nodes would need to join.
    """
    own = ["preflight", *(["addon/kube-proxy"] if written.get("kubeProxyMode") == "none" else [])]
    skipped = {"skipPhases": [*own, *_FOR_OTHERS]} if nodes == 1 else {}
    return {"kind": "InitConfiguration", "patches": {"directory": PATCHES}, **skipped}


def kubelet_patch(version: Version | None) -> Mapping[str, Any]:
    """Images are pulled side by side; control groups v1 will do, which a kubelet refuses from 1.35 on unless told otherwise."""
    old_groups = {"failCgroupV1": False} if version and version >= _KNOWS_OLD_GROUPS else {}
    return {"kind": "KubeletConfiguration", "serializeImagePulls": False, **old_groups}


def _named(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
