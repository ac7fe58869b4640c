"""The parent process of an embedded environment: starts, restarts and ends its components, and rotates logs.

It accepts requests, one JSON line each, on a Unix socket that only its user can access:
{"op": "start", "components": [...]}, {"op": "status"}, {"op": "stop"}. Run as `python -m devloop.runtime.supervisor FOLDER`.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop import __version__
from devloop.clients.orphans import resident_memory
from devloop.runtime.children import Children
from devloop.runtime.components import Component, environment_for
from devloop.runtime.layout import Layout

LOG_CHECK = 30.0  # seconds between log rotations
REQUEST_TIMEOUT = 5.0  # seconds


@dataclass
class Supervisor:
    children: Children
    stopping: bool = False

    def serve(self, listener: socket.socket) -> None:
        """Handle requests and restart exited children until `stopping`."""
        with _signals(self) as signals, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(signals, selectors.EVENT_READ)
            logs_at = time.monotonic() + LOG_CHECK
            while not self.stopping:
                due = self.children.restart_due()
                for key, _ in selector.select(LOG_CHECK if due is None else due):
                    if key.fileobj is listener:
                        self._serve_one(listener)
                    else:
                        signals.recv(4096)
                self.children.reap()
                if time.monotonic() > logs_at:
                    self.children.rotate_logs()
                    logs_at = time.monotonic() + LOG_CHECK

    def _serve_one(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(REQUEST_TIMEOUT)
        with connection, contextlib.suppress(OSError):
            with connection.makefile("rb") as stream:
                request = stream.readline()
            connection.sendall(json.dumps(self.answer(request)).encode() + b"\n")

    def answer(self, line: bytes) -> dict[str, Any]:
        """The response to a request."""
        try:
            request = json.loads(line)
            match request["op"]:
                case "start":
                    return {"started": self.children.start([Component.from_json(item) for item in request["components"]])}
                case "status":
                    return {"version": __version__, "memory": resident_memory(os.getpid()), "components": self.children.status()}
                case "stop":
                    self.stopping = True
                    self.children.stop()
                    return {}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return {"error": "unknown request"}


@contextlib.contextmanager
def _signals(supervisor: Supervisor) -> Iterator[socket.socket]:
    """A socket that becomes readable when a child exits; SIGTERM stops the supervisor."""

    def stop(*_: object) -> None:
        supervisor.stopping = True

    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, stop)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(-1)


def main(folder: Path) -> int:
    """Run the supervisor; exits at once if the folder already has one."""
    os.umask(0o077)
    layout = Layout(folder)
    lock = os.open(folder / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    children = Children(layout, environment_for(layout, os.environ))
    with layout.control_socket() as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as listener:
        Path(address).unlink(missing_ok=True)
        listener.bind(address)
        listener.listen(8)
        try:
            Supervisor(children).serve(listener)
        finally:
            children.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
