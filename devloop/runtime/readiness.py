"""Waits until a component answers, and gives up early, with its last words, when it keeps dying."""

from __future__ import annotations

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
PAUSE = 0.02
TIMEOUT = 5.0
PORT_TAKEN = "address already in use"
ROOM = 4 << 20  # bytes without which nothing can be expected to run
HOPELESS = 3  # ends in a row after which a component will not come up by itself


class CrashLoop(DevloopError):
    """It will not come up by itself; `port_was_taken`: unless it gets another port."""

    def __init__(self, name: str, status: int, layout: Layout) -> None:
        log = layout.log(name)
        self.port_was_taken = PORT_TAKEN in tail(log, 30).lower()
        if shutil.disk_usage(layout.folder).free < ROOM:
            super().__init__(f"{name} keeps ending: no space left on the disk of {layout.folder}", hint=command("df -h", layout.folder))
        else:
            super().__init__(f"{name} keeps ending with status {status}: {tail(log, 3) or 'it said nothing'}", hint=f"read {log}")


def await_ready(site: ComponentContext, name: str, program: Program, group: Collection[str], stop: threading.Event) -> None:
    """Until `name` answers, unless that or another one of its `group` keeps ending."""
    port = site.ports.get(f"{name}-health") or site.ports[name]
    pki, hint = site.layout.pki, f"read {site.layout.log(name)}"
    tls = http.client_context(pki / "ca.crt", pki / "admin.crt", pki / "admin.key") if program.tls else None

    def answers() -> bool:
        pids = _pids(site.layout, group)
        # Another program may have been quicker to take the port: that one must never be taken for ours, and be told our passwords.
        return listens(pids.get(name, 0), port) and (http.status(LOOPBACK, port, program.probe, timeout=TIMEOUT, tls=tls) or 500) < 500

    try:
        until(answers, name, patience=PATIENCE, stop=stop, hint=hint, pause=PAUSE)
    except WaitTimeout:
        raise DevloopError(f"{name} does not answer", hint=hint) from None


def _pids(layout: Layout, group: Collection[str]) -> dict[str, int]:
    """Who runs, 0 for those who pause before they are started again; raises CrashLoop where that will not help."""
    components = [item for item in control.ask(layout, {"op": "status"})["components"] if item["name"] in group]
    for item in components:
        if not item["pid"] and item["failures"]:
            failure = CrashLoop(item["name"], item["ended_with"], layout)
            if failure.port_was_taken or item["failures"] >= HOPELESS:
                raise failure
    return {item["name"]: item["pid"] for item in components}
