"""What the controllers need in the cluster: their namespace, CRDs and RBAC, from their own modules, in the versions that run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, Kube
from devloop.errors import DevloopError, Interrupted
from devloop.flux import manifests
from devloop.model.flux.names import NAMESPACE
from devloop.toolchain import Toolchain

# Written last: a namespace that carries the key of these very versions has everything.
INSTALLED = "devloop.dev/flux"
TICK = 0.2  # seconds between two looks whether the run was interrupted


def install(controllers: Sequence[str], kube: Kube, toolchain: Toolchain, stop: threading.Event) -> bool:
    """Whether anything had to be applied."""
    key = " ".join(f"{name}@{toolchain.key(name)}" for name in controllers)
    namespace = kube.get(NAMESPACES, NAMESPACE)
    if namespace and (namespace["metadata"].get("annotations") or {}).get(INSTALLED) == key:
        return False
    marked = manifests.namespace(NAMESPACE)
    kube.apply(marked)
    crds = [crd for name in controllers for crd in toolchain.crds(name)]
    roles = [role for name in controllers for role in manifests.rbac(name, toolchain.rbac(name))]
    kube.apply_all([*crds, *map(manifests.service_account, controllers), *roles])
    _await_established(kube, crds, stop)
    marked["metadata"]["annotations"] = {INSTALLED: key}
    kube.apply(marked)
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
    """The CRD of the next event, where it is established."""
    try:
        event, crd = events.get(timeout=TICK)
    except queue.Empty:
        return set()
    if event == "FAILED":
        raise DevloopError(crd["message"])
    conditions = (crd.get("status") or {}).get("conditions") or ()
    is_established = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
    return {crd["metadata"]["name"]} if is_established else set()
