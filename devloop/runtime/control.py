"""Talks to an environment's supervisor, starts one where none answers, and ends whatever one has left behind."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devloop.clients import process
from devloop.clients.logs import open_log, tail
from devloop.clients.orphans import kill_orphans
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.runtime.components import MARKER, Component, environment_for
from devloop.runtime.layout import Layout

PATIENCE = 15.0  # seconds for the supervisor to come up on a machine that is busy
PAUSE = 0.01


class NoSupervisor(DevloopError):
    """Nobody answers on the socket."""


def ask(layout: Layout, request: Mapping[str, object]) -> dict[str, Any]:
    """The supervisor's answer; NoSupervisor where there is none."""
    try:
        with layout.control_socket() as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(10.0)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
    except (OSError, ValueError):
        raise NoSupervisor("the supervisor does not answer") from None
    return answer


def runs(layout: Layout) -> bool:
    """Whether a supervisor answers."""
    return version(layout) is not None


def version(layout: Layout) -> str | None:
    """Which devloop's supervisor answers, None where there is none."""
    try:
        return str(ask(layout, {"op": "status"}).get("version", ""))
    except NoSupervisor:
        return None


def start(layout: Layout, components: Iterable[Component]) -> bool:
    """Have the components run, with just these commands; whether anything had to be started."""
    answer = ask(layout, {"op": "start", "components": [component.as_json() for component in components]})
    return bool(answer["started"])


@contextlib.contextmanager
def launched(layout: Layout, stop: threading.Event) -> Iterator[None]:
    """A supervisor that outlives us; it comes up while the body runs, and answers after it."""
    argv = (sys.executable, "-m", "devloop.runtime.supervisor", str(layout.folder))
    environ = environment_for(layout, os.environ)
    with open_log(layout.log("supervisor")) as log:
        child = process.spawn(argv, cwd=layout.folder, env=environ, stdout=log, stderr=process.STDOUT, new_session=True)
    yield
    hint = f"read {layout.log('supervisor')}"

    def answers() -> bool:
        # Status 0 means that there was another one already, which is just as well.
        has_failed = child.poll() not in (None, 0)
        if runs(layout):
            return True
        if has_failed:
            raise WaitTimeout("the supervisor ended")
        return False

    try:
        until(answers, "the supervisor", patience=PATIENCE, stop=stop, hint=hint, pause=PAUSE)
    except WaitTimeout:
        child.kill()
        raise DevloopError(f"the supervisor did not start: {tail(layout.log('supervisor'))}", hint=hint) from None


def end(layout: Layout) -> None:
    """No process of the environment runs any more, whoever started it and whether or not a supervisor is left to be asked."""
    with contextlib.suppress(NoSupervisor):
        ask(layout, {"op": "stop"})
    kill_orphans(MARKER, str(layout.folder))
