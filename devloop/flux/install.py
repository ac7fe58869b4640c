"""Installs the namespace, CRDs and RBAC of the Flux controllers, from the Go modules of the pinned versions."""

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, Kube
from devloop.errors import DevloopError, Interrupted
from devloop.flux import manifests
from devloop.model.flux.names import NAMESPACE
from devloop.toolchain import Toolchain

INSTALLED = "devloop.dev/flux"  # annotates the namespace last: it holds the key of the versions that are completely installed
TICK = 0.2  # seconds between checks for an interruption


def install(controllers: Sequence[str], kube: Kube, toolchain: Toolchain, stop: threading.Event) -> bool:
    """Whether anything was applied."""
    key = " ".join(f"{name}@{toolchain.key(name)}" for name in controllers)
    namespace = kube.get(NAMESPACES, NAMESPACE)
    if namespace and (namespace["metadata"].get("annotations") or {}).get(INSTALLED) == key:
        return False
    annotated = manifests.namespace(NAMESPACE)
    kube.apply(annotated)
    crds = [crd for name in controllers for crd in toolchain.crds(name)]
    roles = [role for name in controllers for role in manifests.rbac(name, toolchain.rbac(name))]
    kube.apply_all([*crds, *map(manifests.service_account, controllers), *roles])
    _await_established(kube, crds, stop)
    annotated["metadata"]["annotations"] = {INSTALLED: key}
    kube.apply(annotated)
    return True


def _await_established(kube: Kube, crds: Sequence[Mapping[str, Any]], stop: threading.Event) -> None:
    waiting, done = {crd["metadata"]["name"] for crd in crds}, threading.Event()
    events = kube.watch_all([CRDS], done)
    try:
        while waiting:
            if stop.is_set():
                raise Interrupted("interrupted while waiting for Flux's CRDs")
            waiting -= _established(events)
    finally:
        done.set()


def _established(events: queue.SimpleQueue[tuple[str, Any]]) -> set[str]:
    """The CRD of the next event if it is established."""
    try:
        event, crd = events.get(timeout=TICK)
    except queue.Empty:
        return set()
    if event == "FAILED":
        raise DevloopError(crd["message"])
    conditions = (crd.get("status") or {}).get("conditions") or ()
    is_established = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
    return {crd["metadata"]["name"]} if is_established else set()
