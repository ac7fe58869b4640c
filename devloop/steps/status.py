"""Shows what runs and how far Flux has come; changes nothing."""

import time
from dataclasses import dataclass
from pathlib import Path

from devloop.errors import Interrupted
from devloop.flux import expectations
from devloop.flux.charts import known_differences
from devloop.flux.feed import PATIENCE, Feed
from devloop.flux.presence import missing_objects
from devloop.flux.watching import Watching, with_logs
from devloop.hint import DevloopCommand
from devloop.lint.located_causes import LocatedCauses, locating_later
from devloop.model.causes.cause import Cause, ObjectRef, unique
from devloop.model.flux.names import CONTROLLERS, ROOT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.report import Outcome, Reconciling, Status
from devloop.model.units import MEBIBYTE
from devloop.provisioners import ProvisionerStatus, state_dir
from devloop.session import Session
from devloop.steps import Step

PACE = 1.0  # seconds between two looks at what exists, while following


@dataclass(frozen=True)
class ShowStatus:
    follow: bool = False
    title: str = "status"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        status = session.provisioner.status(measured=True)
        name = session.environment.name
        if not status.exists:
            return Outcome(Status.FAILED, f"there is no environment {name}", DevloopCommand("up", name))
        if status.stopped:
            return _down(session, "cluster/stopped", f"{name} is stopped")
        if not status.running:
            return _unreachable(session, f"{_components(status)}; the cluster does not answer")
        expected = expectations.load(_folder(session))
        state = Reconciliation(expected, time.monotonic())
        deadline = state.start + PATIENCE
        with Feed(session.kube) as feed:
            watching = Watching(feed, state)
            if problem := self._await_sync(session, watching, deadline):
                return _unreachable(session, problem)
            located = locating_later(session, state.observed, state.revision)
            self._report(session, watching, status, located)
            while self.follow and not session.stop.is_set():
                if watching.drain() or session.stop.wait(PACE):
                    self._report(session, watching, status, located)
        return Outcome(Status.UNCHANGED, _components(status))

    def _await_sync(self, session: Session, watching: Watching, deadline: float) -> str:
        """What keeps the API server from answering, '' once it has."""
        while not watching.synced:
            watching.drain()
            if session.stop.is_set():
                raise Interrupted("interrupted while reading the cluster")
            if watching.feed.error or time.monotonic() > deadline:
                return watching.feed.error or f"the API server did not answer within {PATIENCE:.0f} s"
        return ""

    def _report(self, session: Session, watching: Watching, status: ProvisionerStatus, located: LocatedCauses) -> None:
        diagnosis = watching.diagnose(at_once=True)
        located.look_for(diagnosis.causes)
        ready = frozenset(k.id for k in diagnosis.kustomizations if k.ready)
        missing = missing_objects(session.kube, watching.state.expected, ready, watching.state.observed)
        stale = known_differences(watching.state.observed, _folder(session))
        causes = unique((*_stopped(status), *diagnosis.causes, *(each.cause for each in missing), *stale))
        session.emit(Reconciling(diagnosis.kustomizations, with_logs(session.kube, located.complete(causes))))


def _unreachable(session: Session, message: str) -> Outcome:
    return _down(session, "cluster/unreachable", message)


def _down(session: Session, cause_id: str, message: str) -> Outcome:
    """The outcome without a cluster to ask."""
    hint = DevloopCommand("up", session.environment.name)
    cause = Cause(cause_id, ObjectRef("Cluster", "", session.environment.definition.name), message)
    session.emit(Reconciling((), (cause,)))
    return Outcome(Status.FAILED, message, hint)


def _folder(session: Session) -> Path:
    return state_dir(session.provisioner.name, session.environment.definition.name)


def _stopped(status: ProvisionerStatus) -> list[Cause]:
    """Controllers of Flux that do not run, where they are processes."""
    down = [(name, state) for name, state, _ in status.components if name in CONTROLLERS and state.split()[0] != "running"]
    hint = DevloopCommand("up")
    return [Cause("flux/controller", ObjectRef("Deployment", ROOT.namespace, name), f"it is {state}", hint=hint) for name, state in down]


def _components(status: ProvisionerStatus) -> str:
    """'12 processes, 870 MiB, Kubernetes v1.36.4', and the components that do not run."""
    count = len(status.components)
    plural = "" if count == 1 else "es" if status.unit.endswith("s") else "s"
    resident = sum(size for _, _, size in status.components) / MEBIBYTE
    down = [f"{name} {state}" for name, state, _ in status.components if state != "running"]
    return ", ".join([f"{count} {status.unit}{plural}", f"{resident:.0f} MiB", f"Kubernetes {status.kubernetes_version}", *down])
