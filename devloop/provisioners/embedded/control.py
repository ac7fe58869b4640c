"""Talks to an environment's supervisor, and starts one where none answers."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from devloop.clients import process
from devloop.clients.logs import open_log, tail
from devloop.errors import DevloopError
from devloop.provisioners.embedded.components import MARKER, Component
from devloop.provisioners.embedded.layout import Layout

PATIENCE = 15.0  # seconds for the supervisor to come up on a machine that is busy


class NoSupervisor(DevloopError):
    """Nobody answers on the socket."""


def ask(layout: Layout, request: Mapping[str, object]) -> dict[str, Any]:
    """The supervisor's answer; NoSupervisor where there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(10.0)
        try:
            connection.connect(str(layout.socket))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
        except (OSError, ValueError):
            raise NoSupervisor("the supervisor does not answer") from None
    return answer


def start(layout: Layout, components: Iterable[Component]) -> list[str]:
    """Have the components run; the names of those that did not yet."""
    answer = ask(layout, {"op": "start", "components": [json.loads(json.dumps(c.as_json())) for c in components]})
    started: list[str] = answer["started"]
    return started


def launch(layout: Layout) -> None:
    """A supervisor that outlives us, answering; it ends whatever an earlier one left."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

    argv = (sys.executable, "-m", "devloop.provisioners.embedded.supervisor", str(layout.folder))
    env = {**os.environ, MARKER: str(layout.folder)}
    with open_log(layout.log("supervisor")) as log:
        child = process.spawn(argv, cwd=layout.folder, env=env, stdout=log, stderr=process.STDOUT, new_session=True)
    retrying = Retrying(wait=wait_fixed(0.02), stop=stop_after_delay(PATIENCE), retry=retry_if_exception_type(NoSupervisor), reraise=True)
    try:
        retrying(ask, layout, {"op": "status"})
    except NoSupervisor:
        child.kill()
        raise DevloopError(
            f"the supervisor did not start: {tail(layout.log('supervisor'))}", hint=f"read {layout.log('supervisor')}"
        ) from None
