"""The process that an embedded environment lives in: starts its components, restarts what dies, rotates logs, ends everything.

It takes requests, one JSON line each, on a Unix socket that only its user can reach:
{"op": "start", "components": [...]}, {"op": "status"}, {"op": "stop"}. Run as `python -m devloop.provisioners.embedded.supervisor FOLDER`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.clients import process
from devloop.clients.logs import open_log, rotate
from devloop.clients.processes import resident_memory, sweep
from devloop.provisioners.embedded.components import MARKER, environment_for
from devloop.provisioners.embedded.layout import Layout

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before a restart
STABLE = 10.0  # seconds after which a component that ran counts as well again
LOG_CHECK = 10.0  # seconds between two looks at the size of the logs


@dataclass
class Child:
    """One component; `restart_at` is set while it waits to be started again."""

    spec: dict[str, Any]
    popen: process.Process[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause: float = FIRST_PAUSE
    restarts: int = 0
    ended_with: int = 0

    @property
    def state(self) -> str:
        return "running" if self.popen else "restarting"


@dataclass
class Supervisor:
    layout: Layout
    path: str
    children: dict[str, Child] = field(default_factory=dict)
    stopping: bool = False

    def start(self, specs: list[dict[str, Any]]) -> list[str]:
        """Start what does not run yet and restart what is asked for with another command; the names of both."""
        changed = [spec for spec in specs if spec["name"] not in self.children or self.children[spec["name"]].spec != spec]
        for spec in changed:
            if old := self.children.get(spec["name"]):
                self._kill(old)
            self.children[spec["name"]] = Child(spec)
            self._launch(self.children[spec["name"]])
        return [spec["name"] for spec in changed]

    def _launch(self, child: Child) -> None:
        name = child.spec["name"]
        env = environment_for(self.layout, child.spec["env"], self.path)
        child.started_at, child.restart_at = time.monotonic(), 0.0
        with open_log(self.layout.log(name)) as log:
            try:
                child.popen = process.spawn(child.spec["argv"], cwd=self.layout.temporary, env=env, stdout=log, stderr=process.STDOUT)
            except OSError as error:
                log.write(f"cannot start: {error}\n".encode())
                self._schedule(child, -1)

    def reap(self) -> None:
        """Notice who ended and plan the next start."""
        for child in self.children.values():
            if child.popen and (status := child.popen.poll()) is not None:
                child.popen = None
                self._schedule(child, status)

    def _schedule(self, child: Child, status: int) -> None:
        now = time.monotonic()
        child.pause = FIRST_PAUSE if now - child.started_at > STABLE else min(child.pause * 2, LONGEST_PAUSE)
        child.restarts, child.ended_with, child.restart_at = child.restarts + 1, status, now + child.pause

    def restart_due(self) -> float:
        """Start whoever's pause is over; seconds until the next one."""
        now = time.monotonic()
        for child in self.children.values():
            if not child.popen and now >= child.restart_at:
                self._launch(child)
        return min([LOG_CHECK, *(c.restart_at - now for c in self.children.values() if not c.popen)])

    def status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "memory": resident_memory(os.getpid()),
            "components": [
                {
                    "name": name,
                    "state": child.state,
                    "pid": child.popen.pid if child.popen else 0,
                    "restarts": child.restarts,
                    "ended_with": child.ended_with,
                    "memory": resident_memory(child.popen.pid) if child.popen else 0,
                }
                for name, child in self.children.items()
            ],
        }

    def stop(self) -> None:
        """End everything at once: its data is thrown away, or made for being cut off (etcd's log)."""
        self.stopping = True
        for child in self.children.values():
            if child.popen:
                child.popen.kill()
        for child in self.children.values():
            self._kill(child)

    def _kill(self, child: Child) -> None:
        if child.popen:
            child.popen.kill()
            child.popen.wait()

    def rotate_logs(self) -> None:
        for name in self.children:
            rotate(self.layout.log(name))

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a request is answered with; unknown ones are told so."""
        match request.get("op"):
            case "start":
                return {"started": self.start(request["components"])}
            case "status":
                return self.status()
            case "stop":
                self.stop()
                return {"stopped": True}
            case other:
                return {"error": f"unknown request {other}"}


def serve(supervisor: Supervisor, listener: socket.socket) -> None:
    """Until it is stopped: answer requests, notice deaths as they happen, restart."""
    wakeup, wakeup_write = socket.socketpair()
    wakeup.setblocking(False)
    wakeup_write.setblocking(False)
    signal.set_wakeup_fd(wakeup_write.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.stop())
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(wakeup, selectors.EVENT_READ)
    logs_at = time.monotonic() + LOG_CHECK
    while not supervisor.stopping:
        for key, _ in selector.select(max(0.0, supervisor.restart_due())):
            if key.fileobj is wakeup:
                with contextlib.suppress(BlockingIOError):
                    wakeup.recv(4096)
            else:
                _answer(supervisor, listener)
        supervisor.reap()
        if time.monotonic() > logs_at:
            supervisor.rotate_logs()
            logs_at = time.monotonic() + LOG_CHECK


def _answer(supervisor: Supervisor, listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.settimeout(5.0)
    with connection, contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with connection.makefile("rb") as stream:
            request = json.loads(stream.readline())
        connection.sendall(json.dumps(supervisor.answer(request)).encode() + b"\n")


def main(folder: Path) -> int:
    """One supervisor a folder: a second one ends at once."""
    layout = Layout(folder)
    layout.make()
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    sweep(MARKER, str(folder))
    layout.socket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(str(layout.socket))
    layout.socket.chmod(0o600)
    listener.listen(8)
    supervisor = Supervisor(layout, os.environ.get("PATH", os.defpath))
    try:
        serve(supervisor, listener)
    finally:
        supervisor.stop()
        layout.socket.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
