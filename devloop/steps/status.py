"""What runs and how far Flux has come; changes nothing."""

from __future__ import annotations

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
        found = session.provisioner.status()
        name = session.environment.name
        if not found.exists:
            return Outcome(Status.FAILED, f"there is no {name}", DevloopCommand("up", name))
        if not found.running:
            return Outcome(Status.FAILED, f"{_components(found)}; the cluster does not answer", DevloopCommand("up", name))
        self._tell(session)
        return Outcome(Status.UNCHANGED, _components(found))

    def _tell(self, session: Session) -> None:
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


def _components(found: ProvisionerStatus) -> str:
    """'12 processes, 870 MiB, Kubernetes v1.36.3', and which of them do not run."""
    resident = sum(size for _, _, size in found.components) / MEBIBYTE
    down = [f"{name} {state}" for name, state, _ in found.components if state != "running"]
    parts = [_counted(len(found.components), found.unit), f"{resident:.0f} MiB", f"Kubernetes {found.kubernetes_version}", *down]
    return ", ".join(parts)


def _counted(count: int, unit: str) -> str:
    ending = "es" if unit.endswith("s") else "s"
    return f"{count} {unit}{'' if count == 1 else ending}"
