"""Shows what runs and how far Flux has come; changes nothing."""

import queue
import threading
import time
from dataclasses import dataclass

from devloop.clients.kube import GIT_REPOSITORIES, WATCHED
from devloop.hint import DevloopCommand
from devloop.model.flux.names import ROOT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.report import Outcome, Reconciling, Status
from devloop.model.units import MEBIBYTE
from devloop.provisioners import ProvisionerStatus
from devloop.session import Session
from devloop.steps import Step


@dataclass(frozen=True)
class ShowStatus:
    follow: bool = False
    title: str = "status"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        status = session.provisioner.status()
        name = session.environment.name
        if not status.exists:
            return Outcome(Status.FAILED, f"there is no environment {name}", DevloopCommand("up", name))
        if not status.running:
            return Outcome(Status.FAILED, f"{_components(status)}; the cluster does not answer", DevloopCommand("up", name))
        self._watch(session)
        return Outcome(Status.UNCHANGED, _components(status))

    def _watch(self, session: Session) -> None:
        source = session.kube.get(GIT_REPOSITORIES, ROOT.name, ROOT.namespace) or {}
        revision = ((source.get("status") or {}).get("artifact") or {}).get("revision", "")
        state = Reconciliation(revision, {}, (), time.monotonic())
        done = threading.Event()
        events = session.kube.watch_all([WATCHED["Kustomization"]], done)
        try:
            synced = False
            while not session.stop.is_set():
                try:
                    event, obj = events.get(timeout=0.2)
                except queue.Empty:
                    continue
                synced = synced or event == "SYNCED"
                if event in ("ADDED", "MODIFIED", "DELETED"):
                    state.observe(event, obj, time.monotonic())
                if synced:
                    session.emit(Reconciling(state.kustomizations(time.monotonic())))
                    if not self.follow:
                        return
        finally:
            done.set()


def _components(status: ProvisionerStatus) -> str:
    """'12 processes, 870 MiB, Kubernetes v1.36.4', and the components that do not run."""
    count = len(status.components)
    plural = "" if count == 1 else "es" if status.unit.endswith("s") else "s"
    resident = sum(size for _, _, size in status.components) / MEBIBYTE
    down = [f"{name} {state}" for name, state, _ in status.components if state != "running"]
    return ", ".join([f"{count} {status.unit}{plural}", f"{resident:.0f} MiB", f"Kubernetes {status.kubernetes_version}", *down])
