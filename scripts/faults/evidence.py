"""Watches the cluster for the evidence of a fault, independently of devloop."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.clients.kube import Kube, Resource
from devloop.clients.watches import watch
from devloop.errors import DevloopError
from scripts.faults.files import Evidence

KINDS: Mapping[str, Resource] = {
    "Bucket": Resource("source.toolkit.fluxcd.io/v1", "buckets"),
    "ConfigMap": Resource("v1", "configmaps"),
    "CustomResourceDefinition": Resource("apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
    "Deployment": Resource("apps/v1", "deployments"),
    "Event": Resource("v1", "events"),
    "GitRepository": Resource("source.toolkit.fluxcd.io/v1", "gitrepositories"),
    "HelmChart": Resource("source.toolkit.fluxcd.io/v1", "helmcharts"),
    "HelmRelease": Resource("helm.toolkit.fluxcd.io/v2", "helmreleases"),
    "HelmRepository": Resource("source.toolkit.fluxcd.io/v1", "helmrepositories"),
    "Job": Resource("batch/v1", "jobs"),
    "Kustomization": Resource("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    "Namespace": Resource("v1", "namespaces", namespaced=False),
    "PersistentVolumeClaim": Resource("v1", "persistentvolumeclaims"),
    "Pod": Resource("v1", "pods"),
    "ReplicaSet": Resource("apps/v1", "replicasets"),
    "ResourceQuota": Resource("v1", "resourcequotas"),
    "StatefulSet": Resource("apps/v1", "statefulsets"),
}


@dataclass(frozen=True)
class Seen:
    """When the evidence was received, and the newest time that the object itself gives (seconds since the epoch, 0 if none)."""

    received: float
    own: float
    message: str


class Watch:
    """The first time that the cluster showed `evidence` since `arm` was called."""

    def __init__(self, kube: Kube, evidence: Evidence) -> None:
        self._kube = kube
        self._evidence = evidence
        self._stop = threading.Event()
        self._synced = threading.Event()
        self._known: dict[str, str] = {}  # UID -> resource version
        self._armed = False
        self._exists = False
        self._found = threading.Event()
        self.seen: Seen | None = None

    def arm(self) -> None:
        self._armed = True

    def wait(self, seconds: float) -> bool:
        """Whether the evidence was there in time."""
        return self._found.wait(seconds)

    def _run(self) -> None:
        with contextlib.suppress(DevloopError):  # the environment is gone
            for event, obj in watch(self._kube, KINDS[self._evidence.pattern.kind], self._stop):
                if event == "SYNCED":
                    self._sync()
                elif not self._found.is_set():
                    self._look(event, obj)

    def _sync(self) -> None:
        self._synced.set()
        if self._armed and self._evidence.gone and not self._exists:
            self._found.set()

    def _look(self, event: str, obj: dict[str, Any]) -> None:
        metadata = obj.get("metadata") or {}
        uid, version = metadata.get("uid", ""), metadata.get("resourceVersion", "")
        is_new = self._known.get(uid) != version or event == "DELETED"
        self._known[uid] = version
        self._exists |= shows(obj, Evidence(self._evidence.pattern))
        if self._armed and is_new and shows(obj, self._evidence, gone=event == "DELETED"):
            now = time.time()
            self.seen = Seen(now, own_time(obj, before=now), message_of(obj, self._evidence))
            self._found.set()


@contextlib.contextmanager
def watching(kube: Kube, evidence: Evidence, *, existing: bool = False) -> Iterator[Watch]:
    """A watch that knows the existing objects; with `existing` they count as evidence."""
    started = Watch(kube, evidence)
    if existing:
        started.arm()
    threading.Thread(target=started._run, daemon=True).start()
    started._synced.wait(10)
    try:
        yield started
    finally:
        started._stop.set()


def shows(obj: Mapping[str, Any], evidence: Evidence, *, gone: bool = False) -> bool:
    """Whether the object is the one of `evidence` and shows it."""
    about = obj.get("involvedObject") or {} if obj.get("kind") == "Event" else obj.get("metadata") or {}
    pattern = evidence.pattern
    if not pattern.matches(pattern.kind, about.get("namespace", ""), about.get("name", "")):
        return False
    if gone or evidence.gone:
        return gone and evidence.gone
    return _shows_text(obj, evidence.shows) and (not evidence.condition or _has_condition(obj, evidence.condition))


def _shows_text(obj: Mapping[str, Any], text: str) -> bool:
    where = [obj.get("reason"), obj.get("message")] if obj.get("kind") == "Event" else obj.get("status")
    return not text or any(text in found for found in _texts(where))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def _has_condition(obj: Mapping[str, Any], wanted: str) -> bool:
    kind, _, rest = wanted.partition("=")
    status, _, reason = rest.partition("/")
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == status and reason in ("", c.get("reason")) for c in conditions)


def own_time(obj: Mapping[str, Any], before: float) -> float:
    """The newest time in the object's status and managed fields that is not in the future; whole seconds."""
    times = [_epoch(text) for text in _texts(obj) if len(text) >= 20 and text[4:5] == "-" and text.endswith("Z")]
    return max((found for found in times if found <= before + 1), default=0.0)


def _epoch(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def message_of(obj: Mapping[str, Any], evidence: Evidence) -> str:
    """What the object says, for the record."""
    if obj.get("kind") == "Event":
        return f"{obj.get('reason')}: {obj.get('message')}"
    if evidence.shows:
        return next((text for text in _texts(obj.get("status")) if evidence.shows in text), "")
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return "; ".join(f"{c['type']}={c['status']} {c.get('reason', '')}: {c.get('message', '')}" for c in conditions)
