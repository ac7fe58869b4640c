"""Follows the cluster: the events of a watch into a Reconciliation, and the causes of what is not healthy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from devloop.clients.kube import GIT_REPOSITORIES, OTHER_SOURCES, WATCHED, Kube, Resource
from devloop.flux.feed import Feed
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.claims import pending_claims
from devloop.model.causes.environment import Diagnosis
from devloop.model.flux.names import GIT_REPOSITORY, REQUESTED_AT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.conditions import has_condition

TICK = 0.05  # seconds between two checks of the clock without events
PACE = 0.2  # seconds between two diagnoses
OTHERS_AFTER = 1.0  # seconds of a health check after which its other targets are looked at: most end sooner
OTHERS_PACE = 1.0  # seconds between two looks at objects that are not watched
MOST_OTHERS = 30  # of them at a time
# Kinds without a status, most objects of a repository.
ALWAYS_CURRENT = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "LimitRange", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "ResourceQuota",
    "Role", "RoleBinding", "Secret", "Service", "ServiceAccount",
})  # fmt: skip


@dataclass
class Watching:
    """Of one wait; `state` begins with what `feed` knows, which also has the kinds of sources that `state` expects."""

    feed: Feed
    state: Reconciliation
    _diagnosis: Diagnosis | None = None
    _looked_at: float = 0.0
    _kinds: dict[str, Resource] | None = None

    def __post_init__(self) -> None:
        kinds = {each.kind for each in self.state.expected.objects}
        self.feed.open((*WATCHED, *(resource for kind, resource in OTHER_SOURCES.items() if kind in kinds)))
        self.feed.reader = self
        for obj in list(self.feed.objects.values()):
            self.state.observe("ADDED", obj, self.state.start)

    @property
    def kube(self) -> Kube:
        return self.feed.kube

    @property
    def synced(self) -> bool:
        return self.feed.synced

    def drain(self) -> bool:
        """Observe all queued events, waiting a tick for the first; whether there were any."""
        events = self.feed.take(self, TICK)
        for event, obj in events:
            self.state.observe(event, obj, time.monotonic())
        return bool(events)

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
        observed = self.state.observed
        wanted = dict.fromkeys([*self.state.checking(now - OTHERS_AFTER), *pending_claims(observed)])
        refs = [ref for ref in wanted if ref.kind not in ALWAYS_CURRENT][:MOST_OTHERS]
        if refs:
            self._looked_at = now
        for ref in refs:
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
