"""The embedded environment of a test: where it is, what it does, and whether it works."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from devloop.clients.kube import NAMESPACES, PODS, Kube, Resource
from devloop.clients.orphans import kill_orphans
from devloop.errors import DevloopError
from devloop.flux import open_controllers
from devloop.gitserver import GitServer, open_git_server
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.model.cluster.environment import Environment
from devloop.model.report import Event
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.runtime import control
from devloop.runtime.components import MARKER
from devloop.runtime.layout import Layout
from devloop.toolchain import Toolchain

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
ROLES = ("control-plane", "worker", "worker")
SERVICE_ACCOUNTS = Resource("v1", "serviceaccounts")


def open_embedded(environment: Environment) -> EmbeddedProvisioner:
    return EmbeddedProvisioner(environment, Toolchain(), threading.Event())


@dataclass
class Place:
    """An environment in private folders in `home`; `events` are those of its provisioner."""

    home: Path
    name: str = "demo"
    roles: tuple[str, ...] = ("control-plane",)
    version: str = ""
    events: list[Event] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        nodes = tuple(NodeConfiguration(role, labels={"asked-for": role}) for role in self.roles)
        return Environment(
            "local",
            self.home / "repository",
            ClusterDefinition(self.name, "G3", "ksail.yaml", kubernetes_version=self.version, nodes=nodes),
        )

    @property
    def provisioner(self) -> EmbeddedProvisioner:
        """A new one each time, like a new run of devloop."""
        return open_embedded(self.environment)

    @property
    def layout(self) -> Layout:
        return Layout(self.home / "state" / "devloop" / self.name)

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def kube(self) -> Kube:
        """Connects like kubectl: with the user's kubeconfig and our context."""
        return Kube(self.kubeconfig, f"devloop-{self.name}")

    def ensure_cluster(self) -> bool:
        """Create the cluster like `up`; whether anything changed."""
        changed = self.provisioner.ensure_cluster(self.events.append)
        return self.provisioner.ensure_nodes(self.events.append) or changed

    @property
    def git_server(self) -> GitServer:
        return open_git_server(self.provisioner.runtime)

    def ensure_git_server(self) -> bool:
        return self.git_server.ensure(self.events.append)

    def ensure_controllers(self) -> bool:
        return open_controllers(self.provisioner.runtime).ensure(CONTROLLERS, Kube(self.provisioner.kubeconfig()), {})

    def delete(self) -> bool:
        return self.provisioner.delete(self.events.append)

    def components(self) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in control.ask(self.layout, {"op": "status"})["components"]}

    def pid(self, name: str) -> int:
        return int(self.components()[name]["pid"])

    def processes(self) -> list[psutil.Process]:
        """All processes with the environment's marker, except zombies."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARKER) == str(self.layout.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def listening(self) -> set[tuple[str, int]]:
        connections = [connection for process in self.processes() for connection in process.net_connections(kind="inet")]
        return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}


@contextlib.contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The user's folders are below `home`; the toolchain's cache stays the real one. Whatever runs there at the end is ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("KUBECONFIG", str(home / "kubeconfig"))
        (home / "repository").mkdir()
        try:
            yield
        finally:
            for folder in (home / "state" / "devloop").glob("*/"):
                kill_orphans(MARKER, str(folder))
                shutil.rmtree(Layout(folder).memory, ignore_errors=True)


def until(condition: Callable[[], Any]) -> Any:
    """The condition's first value that counts as true; fails the test after a minute. An API server that does not answer says no."""
    for _ in range(600):
        with contextlib.suppress(DevloopError):
            if found := condition():
                return found
        time.sleep(0.1)
    pytest.fail("it did not happen")


def condition(obj: dict[str, Any] | None, name: str) -> bool:
    conditions = ((obj or {}).get("status") or {}).get("conditions") or ()
    return any(c["type"] == name and c["status"] == "True" for c in conditions)


def works(place: Place) -> bool:
    """A new namespace gets its service account, a pod in it is scheduled and becomes Ready: every part of the control plane took part."""
    kube, name = place.kube, f"probe-{time.monotonic_ns()}"
    until(lambda: kube.request("POST", NAMESPACES.path(), {"metadata": {"name": name}}))
    until(lambda: kube.get(SERVICE_ACCOUNTS, "default", name))
    pod = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "example.com/probe"}]}}
    until(lambda: kube.request("POST", PODS.path(name), pod))
    return bool(until(lambda: condition(kube.get(PODS, "probe", name), "Ready")))


def supervisor(place: Place) -> psutil.Process:
    return next(process for process in place.processes() if "devloop.runtime.supervisor" in process.cmdline())


def remove(place: Place) -> None:
    """Delete the environment twice; no processes, ports, files or kubeconfig entries remain."""
    listening = {port for _, port in place.listening()}
    start = time.monotonic()
    assert place.delete()
    print(f"deleted in {time.monotonic() - start:.2f} s")  # noqa: T201 (shown with -s)
    assert place.processes() == []
    assert listening.isdisjoint(c.laddr.port for c in psutil.net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN)
    assert list((place.home / "state" / "devloop").iterdir()) == []
    assert not place.kubeconfig.exists() or f"devloop-{place.name}" not in place.kubeconfig.read_text()
    assert not place.delete()
    assert place.provisioner.status().exists is False
