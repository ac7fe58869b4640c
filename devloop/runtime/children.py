"""The components as child processes of the supervisor: starts them, restarts them with back-off, stops them."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devloop.clients import process
from devloop.clients.logs import open_log, rotate
from devloop.clients.orphans import resident_memory
from devloop.runtime.components import Component
from devloop.runtime.layout import Layout

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a restart
STABLE = 10.0  # seconds of running that reset the back-off
CANNOT_START = 127  # a shell's exit status for a program that cannot be started


@dataclass
class Child:
    """`restart_at` is for a child that is not running; `failures` are consecutive."""

    component: Component
    popen: process.Process[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    failures: int = 0
    restarts: int = 0
    ended_with: int = 0

    def ended(self, status: int) -> None:
        now = time.monotonic()
        self.failures = 1 if now - self.started_at > STABLE else self.failures + 1
        self.popen, self.ended_with = None, status
        self.restart_at = now + min(FIRST_PAUSE * 2 ** (self.failures - 1), LONGEST_PAUSE)

    def status(self) -> dict[str, Any]:
        pid = self.popen.pid if self.popen else 0
        return {
            "name": self.component.name,
            "state": "running" if pid else "restarting",
            "pid": pid,
            "memory": resident_memory(pid) if pid else 0,
            "failures": self.failures,
            "restarts": self.restarts,
            "ended_with": self.ended_with,
        }


@dataclass
class Children:
    """All components of one environment; `environ` is common to all."""

    layout: Layout
    environ: Mapping[str, str]
    by_name: dict[str, Child] = field(default_factory=dict)

    def start(self, components: Sequence[Component]) -> list[str]:
        """Start components that are not running, and restart those whose command changed; returns their names."""
        idle = [component for component in components if not self._runs(component)]
        for component in idle:
            if old := self.by_name.get(component.name):
                _kill([old])
            self.by_name[component.name] = child = Child(component)
            self._launch(child)
        return [component.name for component in idle]

    def _runs(self, component: Component) -> bool:
        child = self.by_name.get(component.name)
        return child is not None and child.popen is not None and child.component == component

    def _launch(self, child: Child) -> None:
        child.started_at = time.monotonic()
        try:
            child.popen = self._spawn(child.component)
        except OSError:
            child.ended(CANNOT_START)

    def _spawn(self, component: Component) -> process.Process[bytes]:
        environ = {**self.environ, **component.env}
        with open_log(self.layout.log(component.name)) as log:
            try:
                return process.spawn(component.argv, cwd=self.layout.sockets, env=environ, stdout=log, stderr=process.STDOUT)
            except OSError as error:
                log.write(f"cannot run {component.argv[0]}: {error.strerror}\n".encode())
                raise

    def reap(self) -> None:
        """Notice exited children and schedule their restart."""
        for child in self.by_name.values():
            if child.popen and (status := child.popen.poll()) is not None:
                child.ended(status)

    def restart_due(self) -> float | None:
        """Restart children whose pause is over; seconds until the next restart, or None."""
        now = time.monotonic()
        for child in self.by_name.values():
            if not child.popen and now >= child.restart_at:
                child.restarts += 1
                self._launch(child)
        return min((max(0.0, child.restart_at - now) for child in self.by_name.values() if not child.popen), default=None)

    def status(self) -> list[dict[str, Any]]:
        return [child.status() for child in self.by_name.values()]

    def rotate_logs(self) -> None:
        for name in self.by_name:
            # On a full disk, keep the log unchanged.
            with contextlib.suppress(OSError):
                rotate(self.layout.log(name))

    def stop(self) -> None:
        """Kill all at once: their data is disposable or crash-safe (etcd's log)."""
        _kill(list(self.by_name.values()))
        self.by_name.clear()


def _kill(children: Sequence[Child]) -> None:
    running = [child.popen for child in children if child.popen]
    for popen in running:
        popen.kill()
    for popen in running:
        popen.wait()
