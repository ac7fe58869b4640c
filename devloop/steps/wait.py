"""Waits until everything is Ready at the revision; requests reconciliations that save time, and reports the causes of failures."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial

from devloop.clients.kube import KUSTOMIZATIONS
from devloop.errors import DevloopError, Interrupted
from devloop.flux import affected, expectations
from devloop.flux.completeness import Completeness
from devloop.flux.feed import Feed
from devloop.flux.manifests import removals
from devloop.flux.watching import Watching, with_logs
from devloop.hint import DevloopCommand
from devloop.lint.located_causes import locating
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.expected import Expected
from devloop.model.causes.finality import is_final
from devloop.model.causes.left_alone import left_alone
from devloop.model.cluster.environment import Source
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import REQUESTED_AT
from devloop.model.flux.nudges import Nudges
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.messages import counted, join_some
from devloop.model.report import Notice, Outcome, Reconciling, Status, Traced
from devloop.provisioners import state_dir
from devloop.session import Session
from devloop.steps import Output, Step, outcome

CALM = 0.3  # seconds without progress after which a failure is final
MOST_NAMES = 6  # objects in one line


@dataclass(frozen=True)
class AwaitReady:
    """`timeout` in seconds, for everything together; `feed` is what an earlier step or run opened, if any."""

    graph: Output[Graph]
    source: Output[Source]
    timeout: float
    feed: Output[Feed] | None = None
    title: str = "reconcile"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph, folder = self.graph.value, state_dir(session.provisioner.name, session.environment.definition.name)
        expected = Expected.of(graph, self.source.value.revision, removals(graph))
        expectations.save(folder, expected)
        state = Reconciliation(expected, time.monotonic())
        read = partial(session.controllers.artifact, session.kube)
        with self._opened(session) as feed:
            watching = Watching(feed, state)
            completeness = Completeness(session.kube, graph, state, session.environment.root, folder, read)
            wait = _Wait(session, graph, watching, completeness, self.timeout)
            try:
                return wait.run()
            finally:
                wait.release()
                affected.note(folder, graph, self.source.value, state)
                session.emit(Traced(tuple(state.phases.all(state.start, time.monotonic()))))

    def _opened(self, session: Session) -> AbstractContextManager[Feed]:
        return nullcontext(self.feed.value) if self.feed else Feed(session.kube)


@dataclass
class _Wait:
    session: Session
    graph: Graph
    watching: Watching
    completeness: Completeness
    timeout: float
    already: bool = True
    error: str = ""
    causes: tuple[Cause, ...] = ()
    final_since: float = 0.0
    applied: frozenset[ObjectRef] | None = None

    def __post_init__(self) -> None:
        self.state = self.watching.state
        self.nudges = Nudges(self.state)
        self.located = locating(self.session, self.graph, self.state.observed)
        self.deadline = time.monotonic() + self.timeout

    def run(self) -> Outcome:
        while True:
            if self.session.stop.is_set():
                raise Interrupted("interrupted while waiting for Flux", hint=DevloopCommand("status", self.session.environment.name))
            if error := self.watching.feed.error:
                raise DevloopError(f"the cluster cannot be watched: {error}", hint=DevloopCommand("status", self.session.environment.name))
            now = time.monotonic()
            if self.watching.synced and (verdict := self._attempt(now)):
                return verdict
            if self.watching.drain():
                self.session.emit(Reconciling(self.state.kustomizations(time.monotonic()), self.causes))
            if now > self.deadline:
                hint = "fix the causes, or allow more time with --timeout"
                causes = (*self._unreachable(), *self.watching.diagnose(at_once=True).causes) or self.completeness.missing
                return self._failed(causes, f" after {self.timeout:.0f} s", hint)

    def release(self) -> None:
        """What waits for us goes on without us, if it has not been asked for: the source may get the revision later."""
        with suppress(DevloopError):
            self._request(self.nudges.held())

    def _attempt(self, now: float) -> Outcome | None:
        """The verdict if there is one; an API server that does not answer may come back."""
        try:
            verdict = self._verdict(now)
        except Interrupted:
            raise
        except DevloopError as error:
            self.error = error.message
            return None
        self.error = ""
        return verdict

    def _unreachable(self) -> list[Cause]:
        ref = ObjectRef("Cluster", "", self.session.environment.definition.name)
        return [Cause("cluster/unreachable", ref, self.error)] if self.error else []

    def _verdict(self, now: float) -> Outcome | None:
        if self.applied is None:
            self.applied = self.state.applied()
        if self.state.healthy(now) and not self.completeness.is_pending:
            self.causes = ()
            return self._complete(now)
        if self.already:
            self.already = False
            self.watching.retry_sources()
        diagnosis = self.watching.diagnose()
        if (causes := self.located.now(diagnosis.causes)) is not self.causes:
            self.causes = causes
            self.session.emit(Reconciling(diagnosis.kustomizations, self.causes))
        self.final_since = (self.final_since or now) if is_final(diagnosis) and not self._request(self.nudges.last_tries()) else 0.0
        if self.final_since and now - self.final_since > CALM:
            return self._failed(diagnosis.causes, "", "fix the first failure, then run the command again")
        self._request(self.nudges.due(now))
        return None

    def _complete(self, now: float) -> Outcome | None:
        """The verdict once nothing restarts and nothing is missing."""
        ready = frozenset(k.id for k in self.state.kustomizations(now))
        causes = None if self.watching.diagnose(at_once=True).causes else self.completeness.look(ready, changed=not self.already)
        if causes is None:
            self.already = False
            return None
        if causes:
            return self._failed(causes, "", DevloopCommand("status", self.session.environment.name))
        self._report_pruned()
        self.session.emit(Reconciling(self.state.kustomizations(now), self.located.complete(left_alone(self.graph))))
        return outcome(not self.already, "everything is ready")

    def _report_pruned(self) -> None:
        pruned = sorted(map(str, (self.applied or frozenset()) - self.state.applied()))
        if pruned:
            self.session.emit(Notice(f"Flux pruned {join_some(pruned, MOST_NAMES)}"))

    def _failed(self, causes: tuple[Cause, ...], after: str, hint: str | DevloopCommand) -> Outcome:
        states = self.state.kustomizations(time.monotonic())
        self.session.emit(Reconciling(states, with_logs(self.session.kube, self.located.complete(causes))))
        waiting = sum(not (k.ready or k.suspended) for k in states)
        if waiting:
            message = f"{waiting} of {counted(len(states), 'Kustomization')} {'is' if waiting == 1 else 'are'} not ready"
        elif unfetched := self.state.unfetched():
            message = "not fetched: " + join_some([*map(str, unfetched)], MOST_NAMES)
        else:
            message = "not available: " + join_some(sorted({str(cause.object) for cause in causes}), MOST_NAMES)
        return Outcome(Status.FAILED, message + after, hint)

    def _request(self, wanted: Iterable[ObjectId]) -> bool:
        """Request reconciliations; whether any was wanted."""
        object_ids = list(wanted)
        for object_id in object_ids:
            token = f"{time.time_ns():020d}"
            self.nudges.requested(object_id, token, time.monotonic())
            self.session.kube.annotate(KUSTOMIZATIONS, object_id.namespace, object_id.name, {REQUESTED_AT: token})
        return bool(object_ids)
