"""The client of an environment's supervisor: sends requests, starts it, ends it and its orphans."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from devloop.clients import process
from devloop.clients.logs import open_log, tail
from devloop.clients.orphans import kill_orphans
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.runtime.components import MARKER, Component, environment_for
from devloop.runtime.layout import Layout

PATIENCE = 15.0  # seconds for the supervisor to start on a busy machine
PAUSE = 0.01


class NoSupervisor(DevloopError):
    """There is no response on the socket."""


def ask(layout: Layout, request: Mapping[str, object]) -> dict[str, Any]:
    """The supervisor's response; raises NoSupervisor."""
    try:
        with layout.control_socket() as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(10.0)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                response: dict[str, Any] = json.loads(stream.readline())
    except (OSError, ValueError):
        raise NoSupervisor("the supervisor does not respond") from None
    return response


def runs(layout: Layout) -> bool:
    return version(layout) is not None


def version(layout: Layout) -> str | None:
    """The devloop version of the running supervisor, or None."""
    try:
        return str(ask(layout, {"op": "status"}).get("version", ""))
    except NoSupervisor:
        return None


def start(layout: Layout, components: Iterable[Component]) -> bool:
    """Make the components run with these commands; whether any was started."""
    return bool(ask(layout, {"op": "start", "components": [asdict(component) for component in components]})["started"])


def is_running(layout: Layout, name: str) -> bool:
    """Whether the component runs; one that waits for a restart does not."""
    return any(item["pid"] for item in ask(layout, {"op": "status"})["components"] if item["name"] == name)


def kill(layout: Layout, names: Collection[str]) -> None:
    """Kill those of the components that run; the supervisor starts them again."""
    for component in ask(layout, {"op": "status"})["components"]:
        if component["name"] in names and component["pid"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(component["pid"], signal.SIGKILL)


@contextlib.contextmanager
def launched(layout: Layout, stop: threading.Event) -> Iterator[None]:
    """Start a supervisor that outlives this process; it responds after the body."""
    argv = (sys.executable, "-m", "devloop.runtime.supervisor", str(layout.folder))
    environ = environment_for(layout, os.environ)
    with open_log(layout.log("supervisor")) as log:
        child = process.spawn(argv, cwd=layout.folder, env=environ, stdout=log, stderr=process.STDOUT, new_session=True)
    yield
    hint = f"read {layout.log('supervisor')}"

    def is_ready() -> bool:
        has_failed = child.poll() not in (None, 0)  # 0: another one was already running
        is_running = runs(layout)
        if has_failed and not is_running:
            raise WaitTimeout("the supervisor exited")
        return is_running

    try:
        until(is_ready, "the supervisor", patience=PATIENCE, stop=stop, hint=hint, pause=PAUSE)
    except WaitTimeout:
        child.kill()
        raise DevloopError(f"the supervisor did not start: {tail(layout.log('supervisor'))}", hint=hint) from None


def end(layout: Layout) -> None:
    """End all processes of the environment, with or without a supervisor."""
    with contextlib.suppress(NoSupervisor):
        ask(layout, {"op": "stop"})
    kill_orphans(MARKER, str(layout.folder))
