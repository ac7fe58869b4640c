"""What becomes of an environment between two runs of `watch`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.flux import expectations
from devloop.flux.feed import Feed
from devloop.flux.watching import Watching
from devloop.hint import DevloopCommand
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.report import Emit, Notice, Reconciling, Report, Status
from devloop.provisioners import state_dir
from devloop.session import Session
from devloop.steps import Output
from devloop.steps.cluster import CheckRunning

ASK = 2.0  # seconds between two questions whether an environment runs again


@dataclass
class Idle:
    """`feed` is kept open over runs; `last` is the report of the last one."""

    session: Session
    emit: Emit
    feed: Output[Feed] = field(default_factory=Output)
    last: Report | None = None
    _watching: Watching | None = None
    _shown: Reconciling | None = None
    _kubeconfig: float = 0.0
    _asked: float = 0.0

    def begin(self) -> None:
        """A run begins."""
        self._reconnect()
        self._watching = None

    def end(self, report: Report) -> None:
        """A run ended."""
        self.last, self._shown = report, None

    def close(self) -> None:
        if self.feed.is_set:
            self.feed.value.close()

    def look(self) -> bool:
        """Show what has changed; whether a run is wanted."""
        if self._reconnect() or self._is_up_again():
            return True
        if self.feed.is_set:
            self._show()
        return False

    def _show(self) -> None:
        if self._watching is None:
            folder = state_dir(self.session.provisioner.name, self.session.environment.definition.name)
            self._watching = Watching(self.feed.value, Reconciliation(expectations.load(folder), time.monotonic()))
        if self._watching.drain():
            diagnosis = self._watching.diagnose()
            state = Reconciling(diagnosis.kustomizations, diagnosis.causes)
            if self._shown is None or _brief(state) != _brief(self._shown):
                self.session.emit(state)
                self._tell_of_health(_is_healthy(state))
            self._shown = state

    def _tell_of_health(self, healthy: bool) -> None:
        """Where it changes without an edit."""
        before = self.last.ok if self._shown is None and self.last else self._shown is not None and _is_healthy(self._shown)
        name = self.session.environment.name
        if healthy and not before:
            self.emit(Notice(f"{name} is healthy again"))
        elif before and not healthy:
            self.emit(Notice(f"{name} is not healthy any more", Severity.WARNING, DevloopCommand("status", name)))

    def _is_up_again(self) -> bool:
        """Whether an environment that did not run at the last run does now."""
        refused = any(step.title == CheckRunning.title and step.status is Status.FAILED for step in (self.last.steps if self.last else ()))
        if not refused or time.monotonic() - self._asked < ASK:
            return False
        self._asked = time.monotonic()
        return self.session.provisioner.status().running

    def _reconnect(self) -> bool:
        """Whether the environment is another one than before: `up` or `down` ran, or a port changed."""
        try:
            changed = self.session.provisioner.kubeconfig().stat().st_mtime
        except (DevloopError, OSError):
            changed = 0.0
        if changed == self._kubeconfig:
            return False
        before, self._kubeconfig = self._kubeconfig, changed
        if before and not changed:
            name = self.session.environment.name
            self.emit(Notice(f"{name} was removed: waiting until it is up again", Severity.WARNING, DevloopCommand("up", name)))
        if self.feed.is_set:
            self.feed.value.close()
            self.feed, self._watching = Output(), None
        self.session.reconnect()
        return bool(changed)


def _is_healthy(state: Reconciling) -> bool:
    ready = all(k.ready or k.suspended for k in state.kustomizations)
    return ready and all(cause.severity is not Severity.ERROR for cause in state.causes)


def _brief(state: Reconciling) -> list[object]:
    return [*((k.id, k.ready, k.reason) for k in state.kustomizations), *map(str, state.causes)]
