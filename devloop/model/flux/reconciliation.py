"""The progress of an environment towards a revision, from the events of a watch. No I/O; the time is an argument.

It also decides which Kustomizations to reconcile early. The controllers repeat a health check every five seconds and retry a failed
Kustomization after its interval; a watch knows sooner that another try is worth it, and an annotation requests it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.expected import Expected
from devloop.model.causes.observed import Observed, metadata
from devloop.model.flux.kustomization import assess, parse_kustomization
from devloop.model.flux.names import GIT_REPOSITORY, HELM_GROUP, HELM_RELEASE, KUSTOMIZATION, KUSTOMIZE_GROUP, ROOT
from devloop.model.flux.releases import release_is_ready
from devloop.model.kubernetes.health import is_available, is_current
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.report import Readiness

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# What a health check can wait for, of the watched kinds.
WATCHED = frozenset({KUSTOMIZATION, HELM_RELEASE, *WORKLOADS, "Job"})

# A health check checks everything when it starts, then every five seconds. Seconds to wait for its first check: objects that became
# healthy after it started need a nudge, objects that were healthy before only if the check takes long.
FIRST_CHECK, LONG_CHECK = 0.15, 1.0


class Reconciliation:
    """The state of one wait for the revision of `expected`; update it with `observe`."""

    def __init__(self, expected: Expected, start: float) -> None:
        self.expected = expected
        self.observed = Observed()
        self.progress_at = start  # when something became ready for the last time
        self._start = start
        self._changed_at: dict[ObjectRef, float] = {}
        self._checking_since: dict[ObjectRef, float] = {}
        self._ready_at: dict[ObjectId, float] = {}
        self._nudged: dict[ObjectId, tuple[object, str]] = {}

    @property
    def revision(self) -> str:
        """The expected one, else what the source of the root Kustomization has."""
        if self.expected.revision:
            return self.expected.revision
        source = self.observed.get(ObjectRef(GIT_REPOSITORY, ROOT.namespace, ROOT.name)) or {}
        return str(((source.get("status") or {}).get("artifact") or {}).get("revision", ""))

    def observe(self, event: str, obj: Object, now: float) -> None:
        """Apply one event of a watch (ADDED, MODIFIED, DELETED)."""
        ref = ObjectRef.of(obj)
        before = self.observed.get(ref)
        self.observed.take(event, obj)
        if ref.kind not in WATCHED:
            return
        if event == "DELETED":
            self._checking_since.pop(ref, None)
            self._ready_at.pop(ObjectId(*ref[1:]), None) if ref.kind == KUSTOMIZATION else None
            return
        self._changed_at[ref] = now
        if _checking_health(obj):
            self._checking_since.setdefault(ref, now)
        else:
            self._checking_since.pop(ref, None)
        if self._is_current(obj) and not (before and self._is_current(before)):
            self.progress_at = now
        if ref.kind == KUSTOMIZATION and self._is_current(obj):
            self._ready_at.setdefault(ObjectId(*ref[1:]), now)
        elif ref.kind == KUSTOMIZATION:
            self._ready_at.pop(ObjectId(*ref[1:]), None)

    # -- what to show ---------------------------------------------------------------------------------------------------------------

    def kustomizations(self, now: float) -> tuple[Readiness, ...]:
        """All expected or existing Kustomizations, in dependency order."""
        live = {_id(obj): obj for obj in self.observed.of_kind(KUSTOMIZATION)}
        expected = self.expected.kustomizations
        before = {**expected, **{i: parse_kustomization(obj).depends_on for i, obj in live.items() if i not in expected}}
        return tuple(self._readiness(i, live.get(i), now) for i in dependency_order(before) if i not in self.expected.excluded)

    def _readiness(self, object_id: ObjectId, obj: Object | None, now: float) -> Readiness:
        seconds = self._ready_at.get(object_id, now) - self._start
        if obj is None:
            before = tuple(map(str, self.expected.kustomizations[object_id]))
            return Readiness(object_id.namespace, object_id.name, False, "Missing", "does not exist", "", before, seconds)
        readiness = assess(obj, self.revision)
        return replace(readiness, seconds=seconds, terminal=readiness.terminal and not self._is_requested(object_id, obj))

    def live(self, object_id: ObjectId) -> Object | None:
        return self.observed.get(ObjectRef(KUSTOMIZATION, object_id.namespace, object_id.name))

    def unavailable(self) -> Iterator[Object]:
        """Workloads and HelmReleases applied by Flux that are not available yet, whether or not a Kustomization waits for them."""
        for obj in self.observed.of_kind(*WORKLOADS, "Job"):
            if owner_of(obj) and not is_available(obj):
                yield obj
        for obj in self.observed.of_kind("Pod"):
            failed = (obj.get("status") or {}).get("phase") == "Failed"
            if owner_of(obj) and not metadata(obj).get("ownerReferences") and (failed or not is_current(obj)):
                yield obj
        for obj in self.observed.of_kind(HELM_RELEASE):
            if not (obj.get("spec") or {}).get("suspend") and not release_is_ready(obj, self.observed, self.revision):
                yield obj

    def applied(self) -> frozenset[ObjectRef]:
        """Everything that the Kustomizations have applied, and themselves."""
        found: set[ObjectRef] = set()
        for obj in self.observed.of_kind(KUSTOMIZATION):
            found |= {ObjectRef.of(obj), *inventory(obj.get("status") or {})}
        return frozenset(found)

    def owner_of(self, ref: ObjectRef, kustomization: str) -> ObjectRef | None:
        """What applies an expected object: a HelmRelease, or its `kustomization` (namespace/name)."""
        matching = (each for each in self.expected.objects if (each.kind, each.name) == (ref.kind, ref.name))
        each = next((each for each in matching if each.kustomization == kustomization), None)
        if each is None:
            return None
        kind, name = (HELM_RELEASE, each.release) if each.release else (KUSTOMIZATION, each.kustomization)
        owner = ObjectRef(kind, *name.split("/", 1))
        return owner if self.observed.get(owner) else None

    def targets(self, object_id: ObjectId) -> list[ObjectRef]:
        """What the Kustomization waits for."""
        return _targets(self.live(object_id) or {})

    def checking(self) -> Iterator[ObjectRef]:
        """Targets of running health checks, of kinds that are not watched."""
        for ref in list(self._checking_since):
            yield from (target for target in _targets(self.observed.get(ref) or {}) if target.kind not in WATCHED)

    def unhealthy(self, object_id: ObjectId) -> tuple[Object, ...]:
        """Existing objects that the Kustomization waits for and that are not healthy."""
        targets = map(self.observed.get, self.targets(object_id))
        return tuple(target for target in targets if target is not None and not self._is_current(target))

    def healthy(self, now: float) -> bool:
        """Whether everything is Ready at the revision and every workload available."""
        states = self.kustomizations(now)
        return bool(states) and all(k.ready or k.suspended for k in states) and not any(self.unavailable())

    # -- what to reconcile early ----------------------------------------------------------------------------------------------------

    def nudges(self, now: float) -> Iterator[ObjectId]:
        """Kustomizations that are worth reconciling now; confirm each with `nudged`."""
        ready = frozenset(self._ready_at)
        for obj in list(self.observed.of_kind(KUSTOMIZATION)):
            object_id, key = _id(obj), ObjectRef.of(obj)
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
        keys = [key for key in _targets(obj) if key.kind in WATCHED]
        targets = [self.observed.get(key) for key in keys]
        if not all(target is not None and self._is_current(target) for target in targets):
            return None
        since = self._checking_since[ObjectRef.of(obj)]
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


def owner_of(obj: Object) -> ObjectRef | None:
    """The Kustomization or HelmRelease that applied the object, by Flux's labels."""
    labels = metadata(obj).get("labels") or {}
    for kind, group in ((HELM_RELEASE, HELM_GROUP), (KUSTOMIZATION, KUSTOMIZE_GROUP)):
        if name := labels.get(f"{group}/name"):
            return ObjectRef(kind, str(labels.get(f"{group}/namespace", "")), str(name))
    return None


def _id(obj: Object) -> ObjectId:
    return ObjectId(*ObjectRef.of(obj)[1:])


def _checking_health(obj: Object) -> bool:
    conditions = {c.get("type"): c for c in (obj.get("status") or {}).get("conditions") or ()}
    healthy = conditions.get("Healthy") or {}
    return "Reconciling" in conditions and healthy.get("status") == "Unknown" and healthy.get("reason") == "Progressing"


def _targets(obj: Object) -> list[ObjectRef]:
    """What a Kustomization waits for; an inventory id is <namespace>_<name>_<group>_<kind>."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if spec.get("wait"):
        refs = inventory(status)
    else:
        namespace = metadata(obj).get("namespace", "")
        refs = [ObjectRef(c.get("kind", ""), c.get("namespace") or namespace, c.get("name", "")) for c in spec.get("healthChecks") or ()]
    return [ref for ref in refs if ref != ObjectRef.of(obj)]


def inventory(status: Mapping[str, object]) -> list[ObjectRef]:
    """What a Kustomization has applied; the characters `_` and `:` of a name are `__` in its ids."""
    entries = (status.get("inventory") or {}).get("entries") or ()  # type: ignore[attr-defined]
    parts = [entry["id"].split("_") for entry in entries]
    return [ObjectRef(part[-1], part[0], "_".join(part[1:-2]).replace("__", ":")) for part in parts]
