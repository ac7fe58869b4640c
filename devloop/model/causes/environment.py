"""Why an environment is not healthy, and whether that is final. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef, unique
from devloop.model.causes.chains import awaited_children, is_behind
from devloop.model.causes.claims import claim_cause, pending_claims
from devloop.model.causes.flux import finalizers, kustomization_cause, source_cause
from devloop.model.causes.observed import metadata
from devloop.model.causes.pods import pod_causes
from devloop.model.causes.refusals import is_transient
from devloop.model.causes.releases import release_causes
from devloop.model.causes.workloads import WORKLOADS, current_pods, workload_causes
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.flux.names import CONTROLLERS, FETCHED, HELM_RELEASE, KUSTOMIZATION, MANAGED, ROOT
from devloop.model.flux.reconciliation import WATCHED, Reconciliation, owner_of
from devloop.model.flux.releases import is_attempted
from devloop.model.kubernetes.conditions import condition
from devloop.model.kubernetes.health import is_available, is_current
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.messages import one_line
from devloop.model.report import Readiness

TRANSIENT_PATIENCE = 10.0  # seconds until a failure that may pass is final
MOST_TARGETS = 5  # objects of one health check


class Diagnosis:
    """The causes of one moment: `now` is monotonic as for Reconciliation, `clock` is seconds since 1970."""

    def __init__(self, state: Reconciliation, now: float, clock: float) -> None:
        self.state = state
        self.now = now
        self.clock = clock
        self.kustomizations = state.kustomizations(now)
        self._by_id = {k.id: k for k in self.kustomizations}
        self._seen: set[ObjectRef] = set()
        self.awaited = {k.id: awaited_children(k, state, self._by_id) for k in self.kustomizations if not k.ready}
        self._unavailable = tuple(each for each in state.unavailable() if not is_behind(each, state))
        causes = (*self._controllers(), *self._of_kustomizations(), *self._unattended(), *self._restarted())
        # Several Kustomizations may have the same one, for example of their source.
        self.all = tuple(map(self._with_claim, causes))
        self.causes = unique(self.all)

    def _with_claim(self, cause: Cause) -> Cause:
        """The claim that a pod waits for says more than the pod."""
        if cause.id != "volume/pending" or cause.object.kind == "PersistentVolumeClaim":
            return cause
        claims = [self.state.observed.get(ref) for ref in pending_claims(self.state.observed) if ref.namespace == cause.object.namespace]
        found = next((claim_cause(claim, self.state.observed, self.clock) for claim in claims if claim and not is_current(claim)), None)
        return replace(found, kustomization=cause.kustomization) if found else cause

    def _of_kustomizations(self) -> Iterator[Cause]:
        own = [k for k in self.kustomizations if not (k.ready or k.suspended or self._is_blocked(k))]
        first = [k for k in own if not self.awaited[k.id]]
        for k in first or own:
            yield from (replace(cause, kustomization=k.id) for cause in self._of_one(k))

    def _is_blocked(self, k: Readiness) -> bool:
        """Whether it waits for another one that is not ready: that one's cause says more."""
        earlier = [self._by_id[name] for name in k.depends_on if name in self._by_id]
        waits = k.reason in ("Missing", "DependencyNotReady")
        return waits and any(not each.ready for each in earlier)

    def _of_one(self, k: Readiness) -> Iterator[Cause]:
        ref, obj = ObjectRef(KUSTOMIZATION, k.namespace, k.name), self.state.live(ObjectId(k.namespace, k.name))
        if obj is None:
            yield Cause("kustomization/missing", ref, "it does not exist", final=self._is_applied(k), hint=DevloopCommand("up"))
            return
        if metadata(obj).get("deletionTimestamp"):
            yield Cause("kustomization/terminating", ref, f"it is being deleted{finalizers(obj)}")
            return
        cause = kustomization_cause(obj, final=k.terminal)
        if cause and is_transient(cause.message) and self.state.failing(obj, self.now) < TRANSIENT_PATIENCE:
            cause = replace(cause, final=False)
        if cause and cause.id == "kustomization/source-missing":
            cause = self._of_source(obj) or replace(cause, final=k.terminal)
        if cause and cause.id == "kustomization/dependency-missing" and not self._lacks_dependency(obj):
            cause = None  # it was created since
        if cause and cause.id != "kustomization/health-check":
            yield cause
            return
        own = ObjectId(k.namespace, k.name)
        found = [*self._of_targets(own, final=k.terminal)] if self.state.has_applied(own) else []
        yield from found or ([cause] if cause else self._in_progress(obj, ref, k))

    def _lacks_dependency(self, obj: Object) -> bool:
        return any(self.state.live(each) is None for each in parse_kustomization(obj).depends_on)

    def _in_progress(self, obj: Object, ref: ObjectRef, k: Readiness) -> Iterator[Cause]:
        """A Kustomization that reports nothing: its source may have failed."""
        if source := self._of_source(obj):
            yield source
        elif k.reason != "DependencyNotReady":
            yield Cause("kustomization/progressing", ref, f"{k.reason}: {one_line(k.message)}")

    def _is_applied(self, k: Readiness) -> bool:
        """Whether everything that could create it has been applied at this revision."""
        return all(self._by_id[name].ready for name in k.depends_on if name in self._by_id) and bool(k.depends_on)

    def _of_source(self, obj: Object) -> Cause | None:
        reference = (obj.get("spec") or {}).get("sourceRef") or {}
        namespace = reference.get("namespace") or metadata(obj).get("namespace", "")
        source = self.state.observed.get(ObjectRef(str(reference.get("kind")), namespace, str(reference.get("name"))))
        return source_cause(source, self.state.failing(source, self.now)) if source else None

    def _of_targets(self, kustomization: ObjectId, *, final: bool) -> Iterator[Cause]:
        targets = [each for each in self.state.unhealthy(kustomization) if not is_behind(each, self.state)]
        for target in targets[:MOST_TARGETS]:
            if target.get("kind") != KUSTOMIZATION:
                yield from (replace(cause, final=cause.final or final) for cause in self._of_object(target))
        for ref in self.state.targets(kustomization):
            if self.state.observed.get(ref) is None and ref.kind in WATCHED - {KUSTOMIZATION}:
                text = f"the health check of {kustomization} waits for an object that does not exist"
                yield Cause("kustomization/health-check-missing", ref, text, final=final or self._comes_from_nowhere(ref))

    def _comes_from_nowhere(self, ref: ObjectRef) -> bool:
        """Whether neither the repository nor a release whose objects are unknown makes it."""
        expected, releases = self.state.expected, map(ObjectRef.of, self.state.observed.of_kind(HELM_RELEASE))
        return bool(expected.objects) and ref not in expected.refs and all(map(expected.knows, releases))

    def _of_object(self, obj: Object) -> tuple[Cause, ...]:
        self._seen.add(ObjectRef.of(obj))
        if obj.get("kind") == "Pod":
            warnings = self.state.observed.warnings(obj)
            return tuple(pod_causes(obj, ObjectRef.of(obj), warnings, self.clock)) or (_not_ready(obj),)
        if obj.get("kind") == "PersistentVolumeClaim":
            return (claim_cause(obj, self.state.observed, self.clock),)
        if obj.get("kind") in WORKLOADS:
            return workload_causes(self.state.observed, obj, self.clock)
        if obj.get("kind") == HELM_RELEASE:
            return tuple(release_causes(self.state, obj, self._of_owner(ObjectRef.of(obj)), self.now, self.clock))
        source = source_cause(obj, self.state.failing(obj, self.now)) if obj.get("kind") in FETCHED else None
        return (source or _not_ready(obj),)

    def _of_owner(self, release: ObjectRef) -> list[Object]:
        """Its workloads that are not available; they are no causes of their own then."""
        workloads = [each for each in self._unavailable if owner_of(each) == release]
        self._seen |= set(map(ObjectRef.of, workloads))
        return workloads

    def _controllers(self) -> Iterator[Cause]:
        """Controllers of Flux that do not run: nothing goes on without them."""
        for obj in self.state.observed.of_kind("Deployment"):
            if _is_controller(obj) and not is_available(obj):
                causes = workload_causes(self.state.observed, obj, self.clock)
                yield from (replace(cause, id="flux/controller", final=False, hint=DevloopCommand("up")) for cause in causes)

    def _unattended(self) -> Iterator[Cause]:
        """What no Kustomization waits for."""
        for obj in self._unavailable:
            if ObjectRef.of(obj) not in self._seen and self._is_current(obj):
                yield from (replace(cause, kustomization=self._kustomization_of(obj)) for cause in self._of_object(obj))

    def _restarted(self) -> Iterator[Cause]:
        """Workloads that are available again, but not for longer than before their container ended."""
        observed = self.state.observed
        for workload in observed.of_kind("Deployment", "StatefulSet", "DaemonSet"):
            is_new = owner_of(workload) and ObjectRef.of(workload) not in self._seen and self._is_current(workload)
            pods = current_pods(observed, workload)[1] if is_new else []
            if any((status.get("lastState") or {}).get("terminated") for pod in pods for status in _statuses(pod)):
                for cause in workload_causes(observed, workload, self.clock):
                    if cause.id != "workload/not-available":
                        yield replace(cause, kustomization=self._kustomization_of(workload))

    def _is_current(self, obj: Object) -> bool:
        """Whether the object is that of the revision: a failure of an earlier one says nothing."""
        namespace, _, name = self._kustomization_of(obj).partition("/")
        if not name or not self.state.has_applied(ObjectId(namespace, name)):
            return not name
        owner = owner_of(obj)
        release = self.state.observed.get(owner) if owner and owner.kind == HELM_RELEASE else None
        return release is None or is_attempted(release, self.state.observed)

    def _kustomization_of(self, obj: Object) -> str:
        """The Kustomization that applied the object or its HelmRelease."""
        owner = owner_of(obj)
        if owner and owner.kind == HELM_RELEASE:
            release = self.state.observed.get(owner)
            owner = owner_of(release) if release else None
        return f"{owner.namespace}/{owner.name}" if owner and owner.kind == KUSTOMIZATION else ""


def _not_ready(obj: Object) -> Cause:
    ready = condition(obj, "Ready")
    return Cause("object/not-ready", ObjectRef.of(obj), one_line(ready.get("message", "")) or "it is not ready")


def _is_controller(deployment: Object) -> bool:
    ref, labels = ObjectRef.of(deployment), metadata(deployment).get("labels") or {}
    return ref.namespace == ROOT.namespace and ref.name in CONTROLLERS and MANAGED.items() <= labels.items()


def _statuses(pod: Object) -> list[Object]:
    return (pod.get("status") or {}).get("containerStatuses") or []
