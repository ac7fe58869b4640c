"""The components as the supervisor's child processes: start, notice their end, start again after a growing pause, stop."""

from __future__ import annotations

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
STABLE = 10.0  # seconds after which a component that ran counts as well again
CANNOT_START = 127  # the status that a shell gives to what it cannot start


@dataclass
class Child:
    """`restart_at` counts while nothing runs; `failures` are those in a row, `restarts` all of them."""

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
    """All components of one environment; `environ` is what every one of them sees."""

    layout: Layout
    environ: Mapping[str, str]
    by_name: dict[str, Child] = field(default_factory=dict)

    def start(self, components: Sequence[Component]) -> list[str]:
        """Start what does not run, at once, and restart what is asked for with another command; the names of both."""
        idle = [component for component in components if not self._runs(component)]
        for component in idle:
            if old := self.by_name.get(component.name):
                _kill([old])
            self.by_name[component.name] = Child(component)
            self._launch(self.by_name[component.name])
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
        """Notice who ended, and plan the next start."""
        for child in self.by_name.values():
            if child.popen and (status := child.popen.poll()) is not None:
                child.ended(status)

    def restart_due(self) -> float | None:
        """Start whoever's pause is over; seconds until the next one, None where nobody waits."""
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
            # On a full disk there is no room for a copy: the log then stays as it is.
            with contextlib.suppress(OSError):
                rotate(self.layout.log(name))

    def stop(self) -> None:
        """End all at once: their data is thrown away, or made for being cut off (etcd's log)."""
        _kill(list(self.by_name.values()))
        self.by_name.clear()


def _kill(children: Sequence[Child]) -> None:
    running = [child.popen for child in children if child.popen]
    for popen in running:
        popen.kill()
    for popen in running:
        popen.wait()
