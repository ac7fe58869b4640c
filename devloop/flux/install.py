"""Installs the namespace, CRDs and RBAC of the Flux controllers, from the Go modules of the pinned versions; restores what was deleted."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, RESOURCES, Kube
from devloop.clients.wait import WaitTimeout
from devloop.clients.watches import watch_all
from devloop.errors import DevloopError, Interrupted
from devloop.flux import manifests
from devloop.flux.termination import await_removal
from devloop.hint import command
from devloop.model.flux.names import MANAGED, NAMESPACE
from devloop.model.kubernetes.conditions import has_condition
from devloop.model.kubernetes.objects import Object
from devloop.model.report import Emit
from devloop.toolchain import Toolchain

INSTALLED = "devloop.dev/flux"  # annotates the namespace last: it holds the key of the versions that are completely installed
TICK = 0.2  # seconds between checks for an interruption
PATIENCE = 60.0  # seconds for the API server to serve new kinds

# What the controllers cannot run without. Their Roles are for leader election, which is off.
CHECKED = ("CustomResourceDefinition", "ServiceAccount", "ClusterRole", "ClusterRoleBinding")
OURS = ",".join(f"{label}={value}" for label, value in MANAGED.items())


def install(controllers: Sequence[str], kube: Kube, toolchain: Toolchain, stop: threading.Event, emit: Emit = lambda _: None) -> bool:
    """Whether anything was applied."""
    key = " ".join(f"{name}@{toolchain.key(name)}" for name in controllers)
    objects = [obj for name in controllers for obj in objects_of(toolchain, name)]
    crds = [obj for obj in objects if obj["kind"] == "CustomResourceDefinition"]
    found = _look(kube)
    if found.key == key and not found.terminating and found.names.issuperset(_name(obj) for obj in objects if obj["kind"] in CHECKED):
        return False
    if found.terminating:
        await_removal(kube, crds, stop, emit)
    annotated = manifests.namespace(NAMESPACE)
    kube.apply(annotated)
    kube.apply_all(objects)
    _await_established(kube, crds, stop)
    annotated["metadata"]["annotations"] = {INSTALLED: key}
    kube.apply(annotated)
    return True


@cache
def objects_of(toolchain: Toolchain, controller: str) -> tuple[Object, ...]:
    """The cluster's objects of one controller, read once."""
    crds = [_labelled(crd) for crd in toolchain.crds(controller)]
    return (*crds, manifests.service_account(controller), *manifests.rbac(controller, toolchain.rbac(controller)))


@dataclass(frozen=True)
class _Found:
    """What the cluster has: `key` is that of the last complete installation, `names` are (kind, name) of objects that devloop applied."""

    key: str
    names: frozenset[tuple[str, str]]
    terminating: bool


def _look(kube: Kube) -> _Found:
    """One small request per kind, since an unchanged `up` waits for it. More connections would take longer than they save."""
    metadata = (kube.get(NAMESPACES, NAMESPACE) or {}).get("metadata") or {}
    key = (metadata.get("annotations") or {}).get(INSTALLED, "")
    listed = [(kind, item["metadata"]) for kind in CHECKED for item in kube.metadata(RESOURCES[kind], NAMESPACE, labelSelector=OURS)]
    terminating = any(item.get("deletionTimestamp") for item in (metadata, *(item for _, item in listed)))
    return _Found(key, frozenset((kind, item["name"]) for kind, item in listed), terminating)


def _labelled(crd: Mapping[str, Any]) -> Object:
    metadata = crd["metadata"]
    return {**crd, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **MANAGED}}}


def _name(obj: Object) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def _await_established(
    kube: Kube, crds: Sequence[Mapping[str, Any]], stop: threading.Event, clock: Callable[[], float] = time.monotonic
) -> None:
    waiting, done, deadline = {crd["metadata"]["name"] for crd in crds}, threading.Event(), clock() + PATIENCE
    events = watch_all(kube, [CRDS], done)
    try:
        while waiting:
            if stop.is_set():
                raise Interrupted("interrupted while waiting for Flux's CRDs")
            if clock() > deadline:
                names = ", ".join(sorted(waiting))
                hint = command("kubectl describe customresourcedefinitions", *sorted(waiting))
                raise WaitTimeout(f"the API server does not serve {names} after {PATIENCE:.0f} s", hint=hint)
            waiting -= _established(events)
    finally:
        done.set()


def _established(events: queue.Queue[tuple[str, Any]]) -> set[str]:
    """The CRD of the next event if it is established."""
    try:
        event, crd = events.get(timeout=TICK)
    except queue.Empty:
        return set()
    if event == "FAILED":
        raise DevloopError(crd["message"])
    return {crd["metadata"]["name"]} if has_condition(crd, "Established") else set()
