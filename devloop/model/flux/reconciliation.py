"""How far an environment has come towards a revision, folded from what a watch tells. Pure: no I/O, and the time is an argument.

It also knows whom to nudge. The controllers look at a running health check every five seconds and at a failed Kustomization after its
retry interval; whoever watches the objects knows earlier that another look is worth it, and an annotation makes the controller take it.
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

# A health check looks at everything when it begins, then every five seconds. Seconds that its first look may take: what became healthy
# after that began needs a nudge, and what had been healthy before it gets one only when nothing came of that look for long.
FIRST_LOOK, LONG = 0.15, 1.0


class Reconciliation:
    """The state of one wait for `revision`; feed it with `observe`, ask it with the rest."""

    def __init__(self, revision: str, expected: Mapping[ObjectId, Sequence[ObjectId]], excluded: Iterable[ObjectId], start: float) -> None:
        """`expected`: the Kustomizations that should come to exist, each with what comes before it (parent, dependencies)."""
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
        """The wait for everything that `graph` holds, shown in dependency order."""
        return cls(
            revision,
            {node.kustomization.id: _before(node) for node in graph},
            (node.kustomization.id for node in graph if node.kustomization.excluded),
            start,
        )

    def observe(self, event: str, obj: Object, now: float) -> None:
        """Take in one event of a watch (ADDED, MODIFIED, DELETED)."""
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
        if key[0] == KUSTOMIZATION:
            self._note_readiness(ObjectId(*key[1:]), obj, now)

    def _note_readiness(self, object_id: ObjectId, obj: Object, now: float) -> None:
        if assess(obj, self.revision).ready:
            self._ready_at.setdefault(object_id, now)
        else:
            self._ready_at.pop(object_id, None)

    # -- what to show ---------------------------------------------------------------------------------------------------------------

    def kustomizations(self, now: float) -> tuple[Readiness, ...]:
        """Every Kustomization that is expected or exists, in dependency order."""
        live = {ObjectId(*key[1:]): obj for key, obj in self._objects.items() if key[0] == KUSTOMIZATION}
        before = self._expected | {i: parse_kustomization(obj).depends_on for i, obj in live.items() if i not in self._expected}
        return tuple(self._readiness(i, live.get(i), now) for i in dependency_order(before) if i not in self._excluded)

    def _readiness(self, object_id: ObjectId, obj: Object | None, now: float) -> Readiness:
        seconds = self._ready_at.get(object_id, now) - self._start
        if obj is None:
            before = tuple(map(str, self._expected[object_id]))
            return Readiness(object_id.namespace, object_id.name, False, "Pending", "not created yet", "", before, seconds)
        readiness = assess(obj, self.revision)
        return replace(readiness, seconds=seconds, terminal=readiness.terminal and not self._awaits_answer(object_id, obj))

    def unavailable(self) -> tuple[Object, ...]:
        """Workloads of Flux's that are not available yet, whoever waits for them or nobody."""
        return tuple(obj for key, obj in sorted(self._objects.items()) if key[0] in WORKLOADS and _owned(obj) and not is_current(obj))

    def unhealthy(self, object_id: ObjectId) -> tuple[Object, ...]:
        """What the Kustomization waits for that is there and not healthy."""
        obj = self._objects.get((KUSTOMIZATION, object_id.namespace, object_id.name), {})
        found = (self._objects.get(key) for key in _targets(obj))
        return tuple(target for target in found if target is not None and not self._is_current(target))

    # -- when to stop ---------------------------------------------------------------------------------------------------------------

    def healthy(self, now: float) -> bool:
        """Everything is Ready at the revision and every workload is available."""
        states = self.kustomizations(now)
        return bool(states) and all(k.ready or k.suspended for k in states) and not self.unavailable()

    def settled(self, now: float) -> bool:
        """Nothing can get better without a change: whatever is not Ready failed for this revision, or waits for one that did."""
        states = {state.id: state for state in self.kustomizations(now)}
        waiting = {name for name, state in states.items() if not state.ready}
        lost = {name for name in waiting if states[name].terminal or states[name].suspended or self._waits_in_vain(states[name])}
        while newly := {name for name in waiting - lost if not lost.isdisjoint(states[name].depends_on)}:
            lost |= newly
        return bool(lost) and lost == waiting

    def _waits_in_vain(self, state: Readiness) -> bool:
        return any(map(is_failed, self.unhealthy(ObjectId(state.namespace, state.name))))

    # -- whom to nudge --------------------------------------------------------------------------------------------------------------

    def nudges(self, now: float) -> Iterator[ObjectId]:
        """Kustomizations for which another look is worth it now; answer each with `nudged`."""
        ready = frozenset(self._ready_at)
        for key, obj in list(self._objects.items()):
            if key[0] != KUSTOMIZATION:
                continue
            object_id = ObjectId(*key[1:])
            why = self._why_nudge(obj, ready, now)
            # A running health check answers when it ends, not before: that must not keep us from cutting it short.
            busy = key not in self._checking_since and self._awaits_answer(object_id, obj)
            if why is not None and not busy and self._nudged.get(object_id, (None, ""))[0] != why:
                self._nudged[object_id] = (why, "")
                yield object_id

    def nudged(self, object_id: ObjectId, token: str) -> None:
        """Remember the token that the Kustomization was annotated with."""
        self._nudged[object_id] = (self._nudged[object_id][0], token)

    def _why_nudge(self, obj: Object, ready: frozenset[ObjectId], now: float) -> object | None:
        """What makes another look worth it, as a value that is new for each new reason; None when nothing does."""
        state = assess(obj, self.revision)
        if state.ready or state.suspended:
            return None
        if _checking_health(obj):
            return self._healthy_since(obj, now)
        if state.reason == "DependencyNotReady":
            return ("dependencies", self.revision) if ready.issuperset(parse_kustomization(obj).depends_on) else None
        # It failed while others were still on their way: what it lacked may be there now.
        return ready if state.terminal and ready else None

    def _healthy_since(self, obj: Object, now: float) -> object | None:
        """The versions of all that a running health check waits for, once it is healthy and the check has had time to see it."""
        keys = _targets(obj)
        targets = [self._objects.get(key) for key in keys]
        if not all(target is not None and self._is_current(target) for target in targets):
            return None
        since = self._checking_since[_key(obj)]
        patience = FIRST_LOOK if any(self._changed_at[key] >= since for key in keys) else LONG
        if now - since < patience:
            return None
        return tuple(target["metadata"]["resourceVersion"] for target in targets if target is not None)

    def _awaits_answer(self, object_id: ObjectId, obj: Object) -> bool:
        token = self._nudged.get(object_id, (None, ""))[1]
        handled = (obj.get("status") or {}).get("lastHandledReconcileAt", "")
        return bool(token) and handled < token

    def _is_current(self, obj: Object) -> bool:
        return assess(obj, self.revision).ready if obj.get("kind") == KUSTOMIZATION else is_current(obj)


def dependency_order(before: Mapping[ObjectId, Sequence[ObjectId]]) -> list[ObjectId]:
    """All keys of `before`, each after those that it names, otherwise as given; cycles and unknown names do not matter."""
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
    """What a Kustomization waits for, of the kinds that we watch; an inventory id is <namespace>_<name>_<group>_<kind>."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if spec.get("wait"):
        parts = [entry["id"].split("_") for entry in (status.get("inventory") or {}).get("entries") or ()]
        keys = [(part[-1], part[0], "_".join(part[1:-2])) for part in parts]
    else:
        namespace = (obj.get("metadata") or {}).get("namespace", "")
        keys = [(c.get("kind", ""), c.get("namespace") or namespace, c.get("name", "")) for c in spec.get("healthChecks") or ()]
    return [key for key in keys if key[0] in WATCHED and key != _key(obj)]
