"""Which Kustomizations to reconcile early. No I/O; the time is an argument.

The controllers repeat a health check every five seconds and retry a failed Kustomization after its interval; a watch knows sooner that
another try is worth it, and an annotation requests it.
"""

from __future__ import annotations

from collections.abc import Iterator

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.refusals import is_transient
from devloop.model.flux.affected import is_held
from devloop.model.flux.kustomization import assess, parse_kustomization
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.flux.reconciliation import WATCHED, Reconciliation, checking_health, is_attempting, kustomization_id, targets_of
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object, ObjectId

# A health check checks everything when it starts, then every five seconds. Seconds to wait for its first check: objects that became
# healthy after it started need a nudge, objects that were healthy before only if the check takes long.
FIRST_CHECK, LONG_CHECK = 0.15, 1.0

STUCK_AFTER = 5.0  # seconds of an attempt without any news
RETRY_INTERVAL = 2.0  # seconds between attempts after a failure that may pass

# Reasons of failures that the state of the cluster decides, not the revision alone.
DEPENDS_ON_CLUSTER = frozenset({"ReconciliationFailed", "HealthCheckFailed", "BuildFailed", "PruneFailed"})


def _waits_in_vain(obj: Object) -> bool:
    """Whether it depends on a Kustomization that does not exist."""
    ready = condition(obj, "Ready")
    return ready.get("reason") == "DependencyNotReady" and str(ready.get("message", "")).endswith("not found")


class Nudges:
    """The requests of one wait, each made once for its reason."""

    def __init__(self, state: Reconciliation) -> None:
        self._state = state
        self._reasons: dict[ObjectId, object] = {}
        self._tried: dict[ObjectId, float] = {}
        self._applied_again: set[ObjectId] = set()

    def due(self, now: float) -> Iterator[ObjectId]:
        """Kustomizations that are worth reconciling now; confirm each with `requested`."""
        ready = frozenset(self._state.ready_at)
        for obj in list(self._state.observed.of_kind(KUSTOMIZATION)):
            object_id, reason = kustomization_id(obj), self._reason(obj, ready, now)
            # A running health check handles a request only when it ends; that must not prevent interrupting it.
            busy = ObjectRef.of(obj) not in self._state.checking_since and self._state.is_requested(object_id, obj)
            if reason is not None and not busy and self._reasons.get(object_id) != reason:
                self._reasons[object_id] = reason
                self._state.requested.pop(object_id, None)
                yield object_id

    def last_tries(self) -> Iterator[ObjectId]:
        """Kustomizations that failed before something else became ready: the next attempt may succeed. Each once per such progress."""
        progress_at = self._state.progress_at
        for obj in list(self._state.observed.of_kind(KUSTOMIZATION)):
            object_id, state = kustomization_id(obj), assess(obj, self._state.revision)
            is_older = self._state.attempted_at[ObjectRef.of(obj)] < progress_at
            if state.terminal and state.reason in DEPENDS_ON_CLUSTER and is_older and self._tried.get(object_id) != progress_at:
                self._tried[object_id] = progress_at
                yield object_id
        yield from self._parents()

    def _parents(self) -> Iterator[ObjectId]:
        """What applied a Kustomization that is missing or failed, once: somebody may have changed it. Not if that was done in this wait."""
        for object_id, before in self._state.expected.kustomizations.items():
            obj, parent = self._state.live(object_id), self._state.live(before[0]) if before else None
            failed = obj is None or assess(obj, self._state.revision).terminal or _waits_in_vain(obj)
            if failed and parent and before[0] not in self._applied_again:
                ready, attempted_at = assess(parent, self._state.revision).ready, self._state.attempted_at[ObjectRef.of(parent)]
                if ready and attempted_at == float("-inf"):
                    self._applied_again.add(before[0])
                    yield before[0]

    def requested(self, object_id: ObjectId, token: str, now: float) -> None:
        """Remember the token of the Kustomization's annotation."""
        self._state.requested[object_id] = token, now

    def _reason(self, obj: Object, ready: frozenset[ObjectId], now: float) -> object | None:
        """Why to reconcile now, as a value that differs for each new reason, or None."""
        state = assess(obj, self._state.revision)
        if state.ready or state.suspended:
            return None
        if is_held(obj, self._state.revision):
            is_next = self._fetched_at(obj) is not None and ready.issuperset(parse_kustomization(obj).depends_on)
            return ("held", self._state.revision) if is_next else None
        if self._is_behind(obj, now):
            return ("behind", self._state.revision)
        if checking_health(obj):
            return self._healthy_since(obj, now)
        # A controller that lost the API server for a moment tries again after an interval, and its last status stays.
        if is_attempting(obj) and now - self._state.changed_at[ObjectRef.of(obj)] >= STUCK_AFTER:
            return ("stuck", int(now / STUCK_AFTER))
        if state.reason == "DependencyNotReady":
            waits = not ready.issuperset(parse_kustomization(obj).depends_on)
            return None if waits else ("dependencies", self._state.revision)
        # It failed while others were not ready: what was missing may exist now.
        if state.terminal and is_transient(state.message):
            return ("again", int(now / RETRY_INTERVAL))
        attempted_at = self._state.attempted_at[ObjectRef.of(obj)]
        later = frozenset(name for name in ready if self._state.ready_at[name] > attempted_at)
        return later if state.terminal and later else None

    def held(self) -> Iterator[ObjectId]:
        """Kustomizations that wait for `due`."""
        for obj in self._state.observed.of_kind(KUSTOMIZATION):
            if is_held(obj, self._state.revision):
                yield kustomization_id(obj)

    def _is_behind(self, obj: Object, now: float) -> bool:
        """Whether it rests at another revision than its source has by now: what the controller saw of it was changed meanwhile."""
        fetched_at, is_old = self._fetched_at(obj), has_condition(obj, "Ready") and not has_condition(obj, "Reconciling")
        return is_old and fetched_at is not None and now - max(fetched_at, self._state.changed_at[ObjectRef.of(obj)]) >= STUCK_AFTER

    def _fetched_at(self, obj: Object) -> float | None:
        source = parse_kustomization(obj).source
        return self._state.phases.fetched_at(ObjectRef(source.kind, source.namespace, source.name))

    def _healthy_since(self, obj: Object, now: float) -> object | None:
        """The versions of a running health check's targets, once they are healthy and the check had time to notice."""
        refs = [ref for ref in targets_of(obj) if ref.kind in WATCHED]
        targets = [self._state.observed.get(ref) for ref in refs]
        if not all(target is not None and self._state.is_current(target) for target in targets):
            return None
        since = self._state.checking_since[ObjectRef.of(obj)]
        if now - since < (FIRST_CHECK if any(self._state.changed_at[ref] >= since for ref in refs) else LONG_CHECK):
            return None
        return tuple(target["metadata"]["resourceVersion"] for target in targets if target is not None)
