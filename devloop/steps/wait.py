"""Waits until everything is Ready at the revision; requests reconciliations that save time, and reports the causes of failures."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from devloop.clients.kube import HELM_RELEASES, KUSTOMIZATIONS
from devloop.errors import Interrupted
from devloop.flux import expectations
from devloop.flux.charts import compare_charts
from devloop.flux.presence import missing_objects
from devloop.flux.watching import Watching, with_logs
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.expected import Expected
from devloop.model.causes.left_alone import left_alone
from devloop.model.cluster.environment import Source
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import FORCE_AT, HELM_RELEASE, KUSTOMIZATION, REQUESTED_AT
from devloop.model.flux.nudges import Nudges
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.messages import counted, join_words
from devloop.model.report import Notice, Outcome, Reconciling, Status
from devloop.provisioners import state_dir
from devloop.session import Session
from devloop.steps import Output, Step, outcome

CALM = 0.3  # seconds without progress after which a failure is final
MOST_NAMES = 6  # objects in one line


@dataclass(frozen=True)
class AwaitReady:
    """`timeout` in seconds, for everything together."""

    graph: Output[Graph]
    source: Output[Source]
    timeout: float
    title: str = "reconcile"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        expected = Expected.of(self.graph.value, self.source.value.revision)
        expectations.save(state_dir(session.provisioner.name, session.environment.definition.name), expected)
        state = Reconciliation(expected, time.monotonic())
        with Watching(session.kube, state) as watching:
            return _Wait(session, self.graph.value, watching, time.monotonic() + self.timeout, self.timeout).run()


@dataclass
class _Wait:
    session: Session
    graph: Graph
    watching: Watching
    deadline: float
    timeout: float
    already: bool = True
    final_since: float = 0.0
    applied: frozenset[ObjectRef] | None = None
    repairs: dict[ObjectRef, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nudges = Nudges(self.watching.state)

    def run(self) -> Outcome:
        state = self.watching.state
        while True:
            if self.session.stop.is_set():
                raise Interrupted("interrupted while waiting for Flux", hint=DevloopCommand("status", self.session.environment.name))
            changed = self.watching.drain()
            now = time.monotonic()
            if changed:
                self.session.emit(Reconciling(state.kustomizations(now)))
            if self.watching.synced and (verdict := self._verdict(now)):
                return verdict
            if now > self.deadline:
                hint = "fix the causes, or allow more time with --timeout"
                return self._failed(self.watching.diagnose(at_once=True).causes, f" after {self.timeout:.0f} s", hint)

    def _verdict(self, now: float) -> Outcome | None:
        state = self.watching.state
        if self.applied is None:
            self.applied = state.applied()
        if state.healthy(now) and not self._is_repairing():
            return self._complete()
        self.already = False
        diagnosis = self.watching.diagnose()
        self.final_since = (self.final_since or now) if diagnosis.is_final() and not self._request(self.nudges.last_tries()) else 0.0
        if self.final_since and now - self.final_since > CALM:
            return self._failed(diagnosis.causes, "", "fix the first failure, then run the command again")
        self._request(self.nudges.due(now))
        return None

    def _complete(self) -> Outcome | None:
        """The verdict if the cluster has all that the revision renders; else Flux applies again what somebody has deleted."""
        restarted = self.watching.diagnose().causes
        ready = frozenset(k.id for k in self.watching.state.kustomizations(time.monotonic()))
        missing = restarted or missing_objects(self.session.kube, self.watching.state.expected, ready)
        if not missing:
            if stale := self._stale_charts():
                return self._failed(stale, "", "")
            self._report_pruned()
            self.session.emit(Reconciling(self.watching.state.kustomizations(time.monotonic()), left_alone(self.graph)))
            return outcome(not self.already, "everything is ready")
        self.already = False
        gone = [cause for cause in missing if cause.id == "object/missing"]
        if gone and not self._repair(gone):
            return self._failed(missing, "", DevloopCommand("status", self.session.environment.name))
        return None

    def _stale_charts(self) -> tuple[Cause, ...]:
        session = self.session
        folder = state_dir(session.provisioner.name, session.environment.definition.name)
        read = partial(session.controllers.artifact, session.kube)
        return compare_charts(self.graph, self.watching.state.observed, session.environment.root, folder, read)

    def _repair(self, missing: Iterable[Cause]) -> bool:
        """Request a reconciliation of what applied the objects; False if that has been done."""
        owners = {owner for cause in missing if (owner := self.watching.state.owner_of(cause.object, cause.kustomization))}
        token = f"{time.time_ns():020d}"
        for owner in owners - self.repairs.keys():
            self.repairs[owner] = token
            resource = KUSTOMIZATIONS if owner.kind == KUSTOMIZATION else HELM_RELEASES
            # Without the second annotation, helm-controller compares charts and values, which have not changed.
            force = {FORCE_AT: token} if owner.kind == HELM_RELEASE else {}
            self.session.kube.annotate(resource, owner.namespace, owner.name, {REQUESTED_AT: token, **force})
            self.already = False
        return any(token == requested for requested in self.repairs.values())

    def _is_repairing(self) -> bool:
        """Whether a requested reconciliation is not done yet."""
        observed = self.watching.state.observed
        states = {owner: (observed.get(owner) or {}).get("status") or {} for owner in self.repairs}
        return any(states[owner].get("lastHandledReconcileAt", "") < token for owner, token in self.repairs.items())

    def _report_pruned(self) -> None:
        pruned = sorted(map(str, (self.applied or frozenset()) - self.watching.state.applied()))
        if pruned:
            more = [f"{len(pruned) - MOST_NAMES} more"] if len(pruned) > MOST_NAMES else []
            self.session.emit(Notice(f"Flux pruned {join_words([*pruned[:MOST_NAMES], *more])}"))

    def _failed(self, causes: tuple[Cause, ...], after: str, hint: str | DevloopCommand) -> Outcome:
        states = self.watching.state.kustomizations(time.monotonic())
        self.session.emit(Reconciling(states, with_logs(self.session.kube, causes)))
        waiting = sum(not (k.ready or k.suspended) for k in states)
        if waiting:
            message = f"{waiting} of {counted(len(states), 'Kustomization')} {'is' if waiting == 1 else 'are'} not ready"
        else:
            message = "not available: " + join_words(sorted({str(cause.object) for cause in causes})[:MOST_NAMES])
        return Outcome(Status.FAILED, message + after, hint)

    def _request(self, wanted: Iterable[ObjectId]) -> bool:
        """Request reconciliations; whether any was wanted."""
        object_ids = list(wanted)
        for object_id in object_ids:
            token = f"{time.time_ns():020d}"
            self.nudges.requested(object_id, token)
            self.session.kube.annotate(KUSTOMIZATIONS, object_id.namespace, object_id.name, {REQUESTED_AT: token})
        return bool(object_ids)
