"""The progress of an environment towards a revision, from the events of a watch. No I/O; the time is an argument.

It also decides which Kustomizations to reconcile early. The controllers repeat a health check every five seconds and retry a failed
Kustomization after its interval; a watch knows sooner that another try is worth it, and an annotation requests it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from devloop.model.flux.graph import Graph, Node
from devloop.model.flux.kustomization import assess, parse_kustomization
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION, OWNER_LABELS
from devloop.model.kubernetes.health import is_current, is_failed
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.report import Readiness

Key = tuple[str, str, str]  # kind, namespace, name

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
WATCHED = (KUSTOMIZATION, HELM_RELEASE, *WORKLOADS, "Job")

# A health check checks everything when it starts, then every five seconds. Seconds to wait for its first check: objects that became
# healthy after it started need a nudge, objects that were healthy before only if the check takes long.
FIRST_CHECK, LONG_CHECK = 0.15, 1.0


class Reconciliation:
    """The state of one wait for `revision`; update it with `observe`."""

    def __init__(self, revision: str, expected: Mapping[ObjectId, Sequence[ObjectId]], excluded: Iterable[ObjectId], start: float) -> None:
        """`expected`: the Kustomizations that should exist, each with its predecessors (parent, dependencies)."""
        self.revision = revision
        self._expected = dict(expected)
        self._excluded = frozenset(excluded)
        self._start = start
        self._objects: dict[Key, Object] = {}
        self._changed_at: dict[Key, float] = {}
        self._checking_since: dict[Key, float] = {}
        self._ready_at: dict[ObjectId, float] = {}
        self._nudged: dict[ObjectId, tuple[object, str]] = {}

    @classmethod
    def of(cls, graph: Graph, revision: str, start: float) -> Reconciliation:
        """The wait for every Kustomization of `graph`."""
        return cls(
            revision,
            {node.kustomization.id: _before(node) for node in graph},
            (node.kustomization.id for node in graph if node.kustomization.excluded),
            start,
        )

    def observe(self, event: str, obj: Object, now: float) -> None:
        """Apply one event of a watch (ADDED, MODIFIED, DELETED)."""
        key = _key(obj)
        if event == "DELETED":
            self._objects.pop(key, None)
            return
        self._objects[key] = obj
        self._changed_at[key] = now
        if _checking_health(obj):
            self._checking_since.setdefault(key, now)
        else:
            self._checking_since.pop(key, None)
        if key[0] == KUSTOMIZATION and assess(obj, self.revision).ready:
            self._ready_at.setdefault(ObjectId(*key[1:]), now)
        elif key[0] == KUSTOMIZATION:
            self._ready_at.pop(ObjectId(*key[1:]), None)

    # -- what to show ---------------------------------------------------------------------------------------------------------------

    def kustomizations(self, now: float) -> tuple[Readiness, ...]:
        """All expected or existing Kustomizations, in dependency order."""
        live = {ObjectId(*key[1:]): obj for key, obj in self._objects.items() if key[0] == KUSTOMIZATION}
        before = self._expected | {i: parse_kustomization(obj).depends_on for i, obj in live.items() if i not in self._expected}
        return tuple(self._readiness(i, live.get(i), now) for i in dependency_order(before) if i not in self._excluded)

    def _readiness(self, object_id: ObjectId, obj: Object | None, now: float) -> Readiness:
        seconds = self._ready_at.get(object_id, now) - self._start
        if obj is None:
            before = tuple(map(str, self._expected[object_id]))
            return Readiness(object_id.namespace, object_id.name, False, "Pending", "not created yet", "", before, seconds)
        readiness = assess(obj, self.revision)
        return replace(readiness, seconds=seconds, terminal=readiness.terminal and not self._is_requested(object_id, obj))

    def unavailable(self) -> tuple[Object, ...]:
        """Workloads applied by Flux that are not available yet, whether or not a Kustomization waits for them."""
        return tuple(obj for key, obj in sorted(self._objects.items()) if key[0] in WORKLOADS and _owned(obj) and not is_current(obj))

    def unhealthy(self, object_id: ObjectId) -> tuple[Object, ...]:
        """Existing objects that the Kustomization waits for and that are not healthy."""
        obj = self._objects.get((KUSTOMIZATION, object_id.namespace, object_id.name), {})
        targets = (self._objects.get(key) for key in _targets(obj))
        return tuple(target for target in targets if target is not None and not self._is_current(target))

    # -- when to stop ---------------------------------------------------------------------------------------------------------------

    def healthy(self, now: float) -> bool:
        """Whether everything is Ready at the revision and every workload available."""
        states = self.kustomizations(now)
        return bool(states) and all(k.ready or k.suspended for k in states) and not self.unavailable()

    def settled(self, now: float) -> bool:
        """Whether nothing will change without a new revision: all that is not Ready failed, or depends on something that did."""
        states = {state.id: state for state in self.kustomizations(now)}
        waiting = {name for name, state in states.items() if not state.ready}
        failed = {name for name in waiting if self._has_failed(states[name])}
        while newly := {name for name in waiting - failed if not failed.isdisjoint(states[name].depends_on)}:
            failed |= newly
        return bool(failed) and failed == waiting

    def _has_failed(self, state: Readiness) -> bool:
        return state.terminal or state.suspended or any(map(is_failed, self.unhealthy(ObjectId(state.namespace, state.name))))

    # -- what to reconcile early ----------------------------------------------------------------------------------------------------

    def nudges(self, now: float) -> Iterator[ObjectId]:
        """Kustomizations that are worth reconciling now; confirm each with `nudged`."""
        ready = frozenset(self._ready_at)
        for key, obj in list(self._objects.items()):
            if key[0] != KUSTOMIZATION:
                continue
            object_id = ObjectId(*key[1:])
            reason = self._nudge_reason(obj, ready, now)
            # A running health check handles a request only when it ends; that must not prevent interrupting it.
            busy = key not in self._checking_since and self._is_requested(object_id, obj)
            if reason is not None and not busy and self._nudged.get(object_id, (None, ""))[0] != reason:
                self._nudged[object_id] = (reason, "")
                yield object_id

    def nudged(self, object_id: ObjectId, token: str) -> None:
        """Remember the token of the Kustomization's annotation."""
        self._nudged[object_id] = (self._nudged[object_id][0], token)

    def _nudge_reason(self, obj: Object, ready: frozenset[ObjectId], now: float) -> object | None:
        """Why to reconcile now, as a value that differs for each new reason, or None."""
        state = assess(obj, self.revision)
        if state.ready or state.suspended:
            return None
        if _checking_health(obj):
            return self._healthy_since(obj, now)
        if state.reason == "DependencyNotReady":
            return ("dependencies", self.revision) if ready.issuperset(parse_kustomization(obj).depends_on) else None
        # It failed while others were not ready: what was missing may exist now.
        return ready if state.terminal and ready else None

    def _healthy_since(self, obj: Object, now: float) -> object | None:
        """The versions of a running health check's targets, once they are healthy and the check had time to notice."""
        keys = _targets(obj)
        targets = [self._objects.get(key) for key in keys]
        if not all(target is not None and self._is_current(target) for target in targets):
            return None
        since = self._checking_since[_key(obj)]
        if now - since < (FIRST_CHECK if any(self._changed_at[key] >= since for key in keys) else LONG_CHECK):
            return None
        return tuple(target["metadata"]["resourceVersion"] for target in targets if target is not None)

    def _is_requested(self, object_id: ObjectId, obj: Object) -> bool:
        token = self._nudged.get(object_id, (None, ""))[1]
        handled = (obj.get("status") or {}).get("lastHandledReconcileAt", "")
        return bool(token) and handled < token

    def _is_current(self, obj: Object) -> bool:
        return assess(obj, self.revision).ready if obj.get("kind") == KUSTOMIZATION else is_current(obj)


def dependency_order(before: Mapping[ObjectId, Sequence[ObjectId]]) -> list[ObjectId]:
    """All keys of `before`, each after its predecessors, otherwise in the given order; ignores cycles and unknown names."""
    order: dict[ObjectId, None] = {}

    def visit(object_id: ObjectId, above: frozenset[ObjectId]) -> None:
        if object_id not in before or object_id in order or object_id in above:
            return
        for earlier in before[object_id]:
            visit(earlier, above | {object_id})
        order[object_id] = None

    for object_id in before:
        visit(object_id, frozenset())
    return list(order)


def _before(node: Node) -> tuple[ObjectId, ...]:
    return ((node.parent,) if node.parent else ()) + node.kustomization.depends_on


def _key(obj: Object) -> Key:
    metadata = obj.get("metadata") or {}
    return str(obj.get("kind", "")), metadata.get("namespace", ""), metadata.get("name", "")


def _owned(obj: Object) -> bool:
    labels = (obj.get("metadata") or {}).get("labels") or {}
    return any(label in labels for label in OWNER_LABELS)


def _checking_health(obj: Object) -> bool:
    conditions = {c.get("type"): c for c in (obj.get("status") or {}).get("conditions") or ()}
    healthy = conditions.get("Healthy") or {}
    return "Reconciling" in conditions and healthy.get("status") == "Unknown" and healthy.get("reason") == "Progressing"


def _targets(obj: Object) -> list[Key]:
    """What a Kustomization waits for, of the watched kinds; an inventory id is <namespace>_<name>_<group>_<kind>."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if spec.get("wait"):
        parts = [entry["id"].split("_") for entry in (status.get("inventory") or {}).get("entries") or ()]
        keys = [(part[-1], part[0], "_".join(part[1:-2])) for part in parts]
    else:
        namespace = (obj.get("metadata") or {}).get("namespace", "")
        keys = [(c.get("kind", ""), c.get("namespace") or namespace, c.get("name", "")) for c in spec.get("healthChecks") or ()]
    return [key for key in keys if key[0] in WATCHED and key != _key(obj)]
