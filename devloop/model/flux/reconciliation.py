"""The progress of an environment towards a revision, from the events of a watch. No I/O; the time is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.expected import Expected
from devloop.model.causes.observed import Observed, metadata
from devloop.model.flux.artifacts import artifact_revision
from devloop.model.flux.dependency_order import dependency_order
from devloop.model.flux.kustomization import assess, parse_kustomization
from devloop.model.flux.names import FETCHED, GIT_REPOSITORY, HELM_CHART, HELM_GROUP, HELM_RELEASE, KUSTOMIZATION, KUSTOMIZE_GROUP, ROOT
from devloop.model.flux.phases import Phases
from devloop.model.flux.releases import release_is_ready
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.health import is_available, is_current
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.report import Readiness

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# What a health check can wait for, of the watched kinds.
WATCHED = frozenset({KUSTOMIZATION, HELM_RELEASE, *WORKLOADS, "Job"})


class Reconciliation:
    """The state of one wait for the revision of `expected`; update it with `observe`."""

    def __init__(self, expected: Expected, start: float) -> None:
        self.expected = expected
        self.observed = Observed()
        self._became_current: dict[ObjectRef, float] = {}
        self.start = start
        self.changed_at: dict[ObjectRef, float] = {}
        self.checking_since: dict[ObjectRef, float] = {}
        self.ready_at: dict[ObjectId, float] = {}
        self.attempted_at: dict[ObjectRef, float] = {}  # the start of a Kustomization's last attempt, as far as it was seen
        self.failed_at: dict[ObjectRef, float] = {}  # when a HelmRelease counted a failure for the last time
        self.failing_since: dict[ObjectRef, float] = {}  # a Kustomization or source that has failed ever since, in this wait
        self.phases = Phases()
        self.requested: dict[ObjectId, tuple[str, float]] = {}  # Kustomization -> token and time of the last request, see Nudges

    @property
    def revision(self) -> str:
        """The expected one, else what the source of the root Kustomization has."""
        if self.expected.revision:
            return self.expected.revision
        return artifact_revision(self.observed.get(ObjectRef(GIT_REPOSITORY, ROOT.namespace, ROOT.name)))

    @property
    def progress_at(self) -> float:
        """When something became ready for the last time."""
        return max(self.progress_beside(frozenset()), self.start)

    def progress_beside(self, refs: frozenset[ObjectRef]) -> float:
        """When something other than `refs` became ready for the last time, -inf if nothing did in this wait."""
        return max((at for ref, at in self._became_current.items() if ref not in refs), default=float("-inf"))

    def observe(self, event: str, obj: Object, now: float) -> None:
        """Apply one event of a watch (ADDED, MODIFIED, DELETED)."""
        ref = ObjectRef.of(obj)
        before = self.observed.get(ref)
        self.observed.take(event, obj)
        if event != "DELETED":
            self.phases.observe(obj, self.revision, now)
        if ref.kind == KUSTOMIZATION or ref.kind in FETCHED:
            self._note_failure(event, ref, obj, now)
        if ref.kind not in WATCHED:
            return
        if event == "DELETED":
            self.checking_since.pop(ref, None)
            self.ready_at.pop(ObjectId(*ref[1:]), None) if ref.kind == KUSTOMIZATION else None
            return
        self.changed_at[ref] = now
        if checking_health(obj):
            self.checking_since.setdefault(ref, now)
        else:
            self.checking_since.pop(ref, None)
        # What was there when the wait began is no progress.
        if self.is_current(obj) and not (before and self.is_current(before)) and (before or now > self.start):
            self._became_current[ref] = now
        if ref.kind == HELM_RELEASE and (before is None or _failures(before) < _failures(obj)):
            self.failed_at[ref] = now if before or now > self.start else float("-inf")
        if ref.kind == KUSTOMIZATION:
            self._note_attempt(ref, before, obj, now)
        if ref.kind == KUSTOMIZATION and self.is_current(obj):
            self.ready_at.setdefault(ObjectId(*ref[1:]), now)
        elif ref.kind == KUSTOMIZATION:
            self.ready_at.pop(ObjectId(*ref[1:]), None)

    def _note_failure(self, event: str, ref: ObjectRef, obj: Object, now: float) -> None:
        if event == "DELETED" or has_condition(obj, "Ready"):
            self.failing_since.pop(ref, None)
        elif has_condition(obj, "Ready", "False"):
            self.failing_since.setdefault(ref, now)

    def failing(self, obj: Object, now: float) -> float:
        """Seconds of this wait in which a Kustomization or a source has failed without success in between."""
        return now - self.failing_since.get(ObjectRef.of(obj), now)

    def _note_attempt(self, ref: ObjectRef, before: Object | None, obj: Object, now: float) -> None:
        """An attempt begins when Ready becomes Unknown, or with the request that it answers; at first there was none in this wait."""
        if is_attempting(obj) and not (before and is_attempting(before)):
            self.attempted_at[ref] = now
        elif before and _handled(before) != _handled(obj):
            _, requested_at = self.requested.get(ObjectId(*ref[1:]), ("", now))
            self.attempted_at[ref] = max(requested_at, self.attempted_at[ref])
        self.attempted_at.setdefault(ref, now if before else float("-inf"))

    # -- what to show ---------------------------------------------------------------------------------------------------------------

    def kustomizations(self, now: float) -> tuple[Readiness, ...]:
        """All expected or existing Kustomizations, in dependency order."""
        live = {kustomization_id(obj): obj for obj in self.observed.of_kind(KUSTOMIZATION)}
        expected = self.expected.kustomizations
        before = {**expected, **{i: parse_kustomization(obj).depends_on for i, obj in live.items() if i not in expected}}
        return tuple(self._readiness(i, live.get(i), now) for i in dependency_order(before) if i not in self.expected.excluded)

    def _readiness(self, object_id: ObjectId, obj: Object | None, now: float) -> Readiness:
        seconds = self.ready_at.get(object_id, now) - self.start
        if obj is None:
            before = tuple(map(str, self.expected.kustomizations[object_id]))
            return Readiness(object_id.namespace, object_id.name, False, "Missing", "does not exist", "", before, seconds)
        readiness = assess(obj, self.revision)
        return replace(readiness, seconds=seconds, terminal=readiness.terminal and not self.is_requested(object_id, obj))

    def live(self, object_id: ObjectId) -> Object | None:
        return self.observed.get(ObjectRef(KUSTOMIZATION, object_id.namespace, object_id.name))

    def has_applied(self, object_id: ObjectId) -> bool:
        """Whether the Kustomization's objects in the cluster are those of the revision, as far as Flux is concerned."""
        obj = self.live(object_id)
        if obj is None:
            return False
        state, attempted = assess(obj, self.revision), (obj.get("status") or {}).get("lastAttemptedRevision", "")
        if self.revision and attempted != self.revision:
            return False
        failed = state.terminal and state.reason == "HealthCheckFailed" and not self.is_requested(object_id, obj)
        return state.ready or checking_health(obj, self.revision) or failed

    def unavailable(self) -> Iterator[Object]:
        """Workloads, sources and HelmReleases applied by Flux that are not available yet, whether or not a Kustomization waits for them."""
        for obj in self.observed.of_kind(*WORKLOADS, "Job"):
            owner = owner_of(obj)
            if owner and self.expected.has(ObjectRef.of(obj), owner) and not is_hook(obj) and not is_available(obj):
                yield obj
        for obj in self.observed.of_kind("Pod"):
            failed = (obj.get("status") or {}).get("phase") == "Failed"
            if owner_of(obj) and not metadata(obj).get("ownerReferences") and (failed or not is_current(obj)):
                yield obj
        for obj in self.observed.of_kind(*FETCHED - {HELM_CHART}):
            if ObjectRef.of(obj) in self.expected.refs and not is_fetched(obj):
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

    def targets(self, object_id: ObjectId) -> list[ObjectRef]:
        """What the Kustomization waits for."""
        return targets_of(self.live(object_id) or {})

    def checking(self, before: float) -> Iterator[ObjectRef]:
        """Targets of health checks that run since `before` or longer, of kinds that are not watched."""
        for ref in [ref for ref, since in self.checking_since.items() if since <= before]:
            yield from (target for target in targets_of(self.observed.get(ref) or {}) if target.kind not in WATCHED)

    def unhealthy(self, object_id: ObjectId) -> tuple[Object, ...]:
        """Existing objects that the Kustomization waits for and that are not healthy."""
        targets = map(self.observed.get, self.targets(object_id))
        return tuple(target for target in targets if target is not None and not self.is_current(target))

    def healthy(self, now: float) -> bool:
        """Whether everything is Ready at the revision and every workload available."""
        states = self.kustomizations(now)
        return bool(states) and all(k.ready or k.suspended for k in states) and not (self.unfetched() or any(self.unavailable()))

    def unfetched(self) -> tuple[ObjectRef, ...]:
        """The repository's own sources that are not at the revision yet."""
        refs = [ObjectRef(GIT_REPOSITORY, source.namespace, source.name) for source in self.expected.sources]
        return tuple(ref for ref in refs if artifact_revision(self.observed.get(ref)) != self.revision)

    def is_requested(self, object_id: ObjectId, obj: Object) -> bool:
        """Whether a requested reconciliation is not done yet."""
        token, _ = self.requested.get(object_id, ("", 0.0))
        return bool(token) and _handled(obj) < token

    def is_current(self, obj: Object) -> bool:
        return assess(obj, self.revision).ready if obj.get("kind") == KUSTOMIZATION else is_current(obj)


def owner_of(obj: Object) -> ObjectRef | None:
    """The Kustomization or HelmRelease that applied the object, by Flux's labels."""
    labels = metadata(obj).get("labels") or {}
    for kind, group in ((HELM_RELEASE, HELM_GROUP), (KUSTOMIZATION, KUSTOMIZE_GROUP)):
        if name := labels.get(f"{group}/name"):
            return ObjectRef(kind, str(labels.get(f"{group}/namespace", "")), str(name))
    return None


def is_fetched(source: Object) -> bool:
    """Whether a source has what it is about, or needs nothing: a Helm repository of OCI has no status."""
    spec = source.get("spec") or {}
    return bool(spec.get("suspend")) or spec.get("type") == "oci" or (is_current(source) and has_condition(source, "Ready"))


def is_hook(obj: Object) -> bool:
    """Whether it belongs to a hook of a release; the release reports whether that failed."""
    return "helm.sh/hook" in (metadata(obj).get("annotations") or {})


def kustomization_id(obj: Object) -> ObjectId:
    return ObjectId(*ObjectRef.of(obj)[1:])


def _failures(release: Object) -> int:
    return int((release.get("status") or {}).get("failures", 0))


def _handled(obj: Object) -> str:
    return str((obj.get("status") or {}).get("lastHandledReconcileAt", ""))


def is_attempting(obj: Object) -> bool:
    return has_condition(obj, "Ready", "Unknown")


def checking_health(obj: Object, revision: str = "") -> bool:
    """Whether a health check runs (for `revision`); the conditions of a canceled one stay until the next."""
    healthy, message = condition(obj, "Healthy"), str(condition(obj, "Reconciling").get("message", ""))
    waits = healthy.get("status") == "Unknown" and healthy.get("reason") == "Progressing"
    return waits and message.startswith("Running health checks") and revision in message


def targets_of(obj: Object) -> list[ObjectRef]:
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
