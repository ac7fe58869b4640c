"""Follows the cluster: the events of a watch into a Reconciliation, and the causes of what is not healthy."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from devloop.clients.kube import GIT_REPOSITORIES, OTHER_SOURCES, WATCHED, Kube, Resource
from devloop.clients.watches import Events, Listed, list_all, watch_all
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.claims import pending_claims
from devloop.model.causes.environment import Diagnosis
from devloop.model.flux.names import GIT_REPOSITORY, REQUESTED_AT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.conditions import has_condition
from devloop.model.kubernetes.objects import Object

PATIENCE = 10.0  # seconds for the first answers of the API server
TICK = 0.05  # seconds between two checks of the clock without events
PACE = 0.2  # seconds between two diagnoses
OTHERS_PACE = 1.0  # seconds between two looks at objects that are not watched
MOST_OTHERS = 30  # of them at a time
# Kinds without a status, most objects of a repository.
ALWAYS_CURRENT = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "LimitRange", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "ResourceQuota",
    "Role", "RoleBinding", "Secret", "Service", "ServiceAccount",
})  # fmt: skip


@dataclass
class Watching:
    """Use as a context manager. At first it lists; it watches from the first `drain` on.

    `synced`: the existing objects of all kinds are known.
    """

    kube: Kube
    state: Reconciliation
    error: str = ""
    _left: int = 0
    _known: Mapping[Resource, Listed] = field(default_factory=dict)
    _events: Events | None = None
    _diagnosis: Diagnosis | None = None
    _looked_at: float = 0.0
    _kinds: dict[str, Resource] | None = None
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watching:
        self._known = list_all(self.kube, self._watched, PATIENCE)
        self._left = len(self._watched) - len(self._known)
        for listed in self._known.values():
            for obj in listed.objects:
                self.state.observe("ADDED", obj, self.state.start)
        return self

    @cached_property
    def _watched(self) -> Sequence[Resource]:
        kinds = {each.kind for each in self.state.expected.objects}
        return (*WATCHED, *(resource for kind, resource in OTHER_SOURCES.items() if kind in kinds))

    def __exit__(self, *_: object) -> None:
        self._done.set()

    @property
    def synced(self) -> bool:
        return self._left <= 0

    def drain(self) -> bool:
        """Observe all queued events, waiting a tick for the first; whether there were any."""
        if self._events is None:
            self._events = watch_all(self.kube, self._watched, self._done, self._known)
        seen = False
        try:
            self._take(*self._events.get(timeout=TICK))
            while seen := True:
                self._take(*self._events.get_nowait())
        except queue.Empty:
            return seen

    def _take(self, event: str, obj: Object) -> None:
        if event == "SYNCED":
            self._left -= 1
        elif event == "FAILED":
            self.error = obj["message"]
        else:
            self.state.observe(event, obj, time.monotonic())

    def diagnose(self, *, at_once: bool = False) -> Diagnosis:
        """The causes now, or those of a moment ago."""
        now = time.monotonic()
        if self._diagnosis is None or at_once or now - self._diagnosis.now >= PACE:
            self._look_at_others(now)
            self._diagnosis = Diagnosis(self.state, now, time.time())
        return self._diagnosis

    def retry_sources(self) -> None:
        """Sources that failed earlier try again now, not after their interval."""
        for kind, resource in {GIT_REPOSITORY: GIT_REPOSITORIES, **OTHER_SOURCES}.items():
            for obj in list(self.state.observed.of_kind(kind)):
                if has_condition(obj, "Ready", "False"):
                    _, namespace, name = ObjectRef.of(obj)
                    self.kube.annotate(resource, namespace, name, {REQUESTED_AT: f"{time.time_ns():020d}"})

    def _look_at_others(self, now: float) -> None:
        """Objects of other kinds that a health check waits for, and the claims of pods that are pending; not at every diagnosis."""
        if now - self._looked_at < OTHERS_PACE:
            return
        self._looked_at = now
        observed = self.state.observed
        wanted = dict.fromkeys([*self.state.checking(), *pending_claims(observed)])
        for ref in [ref for ref in wanted if ref.kind not in ALWAYS_CURRENT][:MOST_OTHERS]:
            resource = self._resource(ref.kind)
            if resource and (obj := self.kube.get(resource, ref.name, ref.namespace)):
                observed.take("ADDED", obj)

    def _resource(self, kind: str) -> Resource | None:
        if self._kinds is None:
            self._kinds = {name: resource for (_, name), resource in self.kube.kinds().items()}
        return self._kinds.get(kind)


def with_logs(kube: Kube, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes with the last lines of their containers."""
    return tuple(replace(cause, log=_log(kube, cause)) if cause.container else cause for cause in causes)


def _log(kube: Kube, cause: Cause) -> tuple[str, ...]:
    assert cause.container
    namespace, pod, name, previous = cause.container
    return tuple(kube.log(namespace, pod, name, previous=previous).splitlines())
