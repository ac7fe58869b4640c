"""Waits until a component answers, and gives up early, with its last words, when it keeps dying."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from functools import partial

from devloop.clients import http
from devloop.clients.logs import tail
from devloop.clients.ports import listens
from devloop.errors import DevloopError
from devloop.runtime import control
from devloop.runtime.components import HOST, ComponentContext
from devloop.runtime.layout import Layout

PATIENCE = 120.0  # seconds; a cold start on a busy machine takes ten
PAUSE = 0.02
TIMEOUT = 5.0
PORT_TAKEN = "address already in use"
ROOM = 4 << 20  # bytes without which nothing can be expected to run
HOPELESS = 3  # ends in a row after which a component will not come up by itself

# What the API server does last, before it calls itself ready: it is for others than its masters.
NOT_AWAITED = ("rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes")

# What to ask each component for; whatever does not say that it is not ready (500 and above) will do.
PROBES: Mapping[str, str] = {
    "kube-apiserver": "/readyz?" + "&".join(f"exclude=poststarthook/{hook}" for hook in NOT_AWAITED),
    "git-server": "/",
    "source-controller": "/readyz",
    "kustomize-controller": "/readyz",
    "helm-controller": "/readyz",
}


class NotYet(DevloopError):
    """It does not answer yet."""


class CrashLoop(DevloopError):
    """It will not come up by itself; `port_was_taken`: unless it gets another port."""

    def __init__(self, name: str, status: int, layout: Layout) -> None:
        log = layout.log(name)
        self.port_was_taken = PORT_TAKEN in tail(log, 30).lower()
        if shutil.disk_usage(layout.folder).free < ROOM:
            super().__init__(f"{name} keeps ending: no space left on the disk of {layout.folder}", hint=f"df -h {layout.folder}")
        else:
            super().__init__(f"{name} keeps ending with status {status}: {tail(log, 3) or 'it said nothing'}", hint=f"read {log}")


def wait_for(site: ComponentContext, name: str, group: Collection[str], path: str) -> None:
    """Until `name` answers a request for `path`, unless that or another one of its `group` keeps ending."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

    port = site.ports.get(f"{name}-health") or site.ports[name]
    pki = site.layout.pki
    tls = http.client_context(pki / "ca.crt", pki / "admin.crt", pki / "admin.key") if name == "kube-apiserver" else None
    ask = partial(http.status, HOST, port, path, timeout=TIMEOUT, tls=tls)
    retrying = Retrying(wait=wait_fixed(PAUSE), stop=stop_after_delay(PATIENCE), retry=retry_if_exception_type(NotYet), reraise=True)
    retrying(_probe, site.layout, name, group, port, ask)


def _probe(layout: Layout, name: str, group: Collection[str], port: int, ask: Callable[[], int | None]) -> None:
    pids = _pids(layout, group)
    # Another program may have been quicker to take the port: that one must never be taken for ours, and be told our passwords.
    if not listens(pids.get(name, 0), port) or (ask() or 500) >= 500:
        raise NotYet(f"{name} does not answer", hint=f"read {layout.log(name)}")


def _pids(layout: Layout, group: Collection[str]) -> dict[str, int]:
    """Who runs, 0 for those who pause before they are started again; raises KeepsEnding for whom that will not help."""
    components = [item for item in control.ask(layout, {"op": "status"})["components"] if item["name"] in group]
    for item in components:
        if not item["pid"] and item["failures"]:
            failure = CrashLoop(item["name"], item["ended_with"], layout)
            if failure.port_was_taken or item["failures"] >= HOPELESS:
                raise failure
    return {item["name"]: item["pid"] for item in components}
