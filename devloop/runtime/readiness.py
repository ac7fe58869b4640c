"""Waits until a component is ready; fails early, with its last output, if it keeps crashing."""

import shutil
import threading
from collections.abc import Collection

from devloop.clients import http
from devloop.clients.logs import tail
from devloop.clients.ports import LOOPBACK, listens
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.hint import command
from devloop.runtime import control
from devloop.runtime.components import ComponentContext, Program
from devloop.runtime.layout import Layout

PATIENCE = 120.0  # seconds; a cold start on a busy machine takes ten
RUNNING_PATIENCE = 20.0  # seconds for one that was ready before
PAUSE = 0.02
TIMEOUT = 5.0
PORT_TAKEN = "address already in use"
MIN_DISK = 4 << 20  # bytes
MAX_FAILURES = 3  # in a row


class CrashLoop(DevloopError):
    """A component keeps crashing; with `port_was_taken`, another port would help."""

    def __init__(self, name: str, status: int, layout: Layout) -> None:
        log = layout.log(name)
        self.port_was_taken = PORT_TAKEN in tail(log, 30).lower()
        if shutil.disk_usage(layout.folder).free < MIN_DISK:
            super().__init__(f"{name} keeps crashing: no space left on the disk of {layout.folder}", hint=command("df -h", layout.folder))
        else:
            super().__init__(f"{name} keeps crashing with status {status}: {tail(log, 3) or 'no log output'}", hint=f"read {log}")


class Unresponsive(DevloopError):
    """A component runs and does not respond."""


def await_ready(
    context: ComponentContext, name: str, program: Program, group: Collection[str], stop: threading.Event, patience: float = PATIENCE
) -> None:
    """Wait until `name` responds.

    Raises CrashLoop if it or another of its `group` keeps crashing, Unresponsive after `patience` seconds.
    """
    port = context.ports.get(f"{name}-health") or context.ports[name]
    pki, hint = context.layout.pki, f"read {context.layout.log(name)}"
    tls = http.client_context(pki / "ca.crt", pki / "admin.crt", pki / "admin.key") if program.tls else None

    def is_ready() -> bool:
        pids = _pids(context.layout, group)
        # Never send our credentials to another program that took the port.
        return listens(pids.get(name, 0), port) and (http.status(LOOPBACK, port, program.probe, timeout=TIMEOUT, tls=tls) or 500) < 500

    try:
        until(is_ready, name, patience=patience, stop=stop, hint=hint, pause=PAUSE)
    except WaitTimeout:
        raise Unresponsive(f"{name} does not respond", hint=hint) from None


def _pids(layout: Layout, group: Collection[str]) -> dict[str, int]:
    """Name -> PID, 0 for those waiting for a restart; raises CrashLoop if restarting does not help."""
    components = [item for item in control.ask(layout, {"op": "status"})["components"] if item["name"] in group]
    for item in components:
        if not item["pid"] and item["failures"]:
            failure = CrashLoop(item["name"], item["ended_with"], layout)
            if failure.port_was_taken or item["failures"] >= MAX_FAILURES:
                raise failure
    return {item["name"]: item["pid"] for item in components}
