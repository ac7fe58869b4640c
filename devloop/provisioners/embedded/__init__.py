"""The embedded provisioner: control plane, kwok, Git server and Flux controllers as host processes on loopback, no Docker needed."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop import __version__
from devloop.diagnostic import Severity
from devloop.flux.processes import flux_controller
from devloop.gitserver import credentials
from devloop.gitserver.credentials import GitEndpoint
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice
from devloop.provisioners import ProvisionerStatus
from devloop.provisioners.embedded import pki
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, service_address
from devloop.provisioners.embedded.nodes import apply_nodes, nodes_of
from devloop.provisioners.ownership import Ownership
from devloop.provisioners.state_dirs import embedded_folder
from devloop.runtime import control
from devloop.runtime.components import Component, ComponentContext, ToolPaths
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ensure_ports, move_ports, ports
from devloop.runtime.readiness import PROBES, CrashLoop, wait_for

FIRST = ("etcd", "kube-apiserver")
REST = tuple(name for name in CONTROL_PLANE if name not in FIRST)

# How often a start is tried with other ports, when another program was quicker to take one.
ATTEMPTS = 3


class EmbeddedProvisioner:
    """One environment below `state_folder()/<name>`; the supervisor knows what runs, the folder what it runs with."""

    name = "embedded"

    def __init__(self, environment: Environment, tools: ToolPaths, stop: threading.Event | None = None) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._layout = Layout(embedded_folder(environment.definition.name))
        # Removed last: a deletion that is cut short is still known to be ours, and is finished by the next one.
        self._ownership = Ownership(self._layout.folder / "owner.json")
        self._starting = threading.Lock()

    def prepare(self) -> None:
        """Nothing here takes long."""

    def tools(self, controllers: Sequence[str]) -> tuple[str, ...]:
        return (*CONTROL_PLANE, *controllers)

    def context(self) -> str:
        return f"devloop-{self._definition.name}"

    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig("admin")

    def ensure_cluster(self, emit: Emit) -> bool:
        self._warn_of_version(emit)
        self._ensure_supervisor(emit)
        started = self._run(FIRST)
        started |= self._run(REST)
        return self._ensure_nodes(afresh=started) or started

    def ensure_nodes(self, emit: Emit) -> bool:
        return self._merge_context()

    def ensure_images(self, references: Sequence[str], controllers: Sequence[str], emit: Emit) -> tuple[str, ...]:
        # Pods are simulated, controllers are host processes.
        return ()

    def ensure_git_server(self, emit: Emit) -> bool:
        self._ensure_supervisor(emit)
        return self._run((credentials.SERVER,))

    def git_endpoint(self) -> GitEndpoint:
        return credentials.endpoint(self._layout, self._site().address(credentials.SERVER))

    def ensure_controllers(self, controllers: Sequence[str], emit: Emit) -> bool:
        # Now the rules of RBAC do matter: a controller ends when it may not even ask which kinds there are.
        wait_for(self._site(), "kube-apiserver", FIRST, "/readyz")
        return self._run(controllers)

    def status(self) -> ProvisionerStatus:
        if not self._layout.folder.exists():
            return ProvisionerStatus(exists=False, running=False)
        try:
            answer = control.ask(self._layout, {"op": "status"})
        except control.NoSupervisor:
            return ProvisionerStatus(exists=True, running=False, owner=self._ownership.root)
        components = answer["components"]
        alive = {component["name"] for component in components if component["state"] == "running"}
        return ProvisionerStatus(
            exists=True,
            running=alive.issuperset(CONTROL_PLANE),
            owner=self._ownership.root,
            kubernetes_version=self._version(),
            components=(
                ("supervisor", "running", answer["memory"]),
                *((component["name"], _state(component), component["memory"]) for component in components),
            ),
        )

    def delete(self, emit: Emit) -> bool:
        self._refuse_foreign()
        try:
            forgotten = self._ownership.leave_context(self.context())
        finally:
            removed = self._erase()
        return removed or forgotten

    def _ensure_supervisor(self, emit: Emit) -> None:
        """A supervisor answers, and everything that its components read is there."""
        with self._starting:
            self._refuse_foreign()
            if self._ownership.is_foreign(self._environment):
                emit(Notice(f"removing what {self._ownership.root} left of {self._definition.name}"))
                self._erase()
            # An older devloop's may mean other things by the same words.
            if control.version(self._layout) == __version__:
                return
            control.end(self._layout)
            self._layout.make()
            self._ownership.take(self._environment)
            with control.launched(self._layout):
                pki.ensure_pki(self._layout, service_address(self._definition))
                credentials.ensure_passwords(self._layout)
                ensure_ports(self._layout)
                pki.write_kubeconfigs(self._layout, self._site().api_server)

    def _run(self, names: Sequence[str]) -> bool:
        """Have the components run and answer; whether any of them was started. Ports that others took are given up."""
        started = False
        for attempt in range(1, ATTEMPTS + 1):
            site = self._site()
            started |= control.start(self._layout, [_component(site, name) for name in names])
            try:
                for name in names:
                    if name in PROBES:
                        wait_for(site, name, names, PROBES[name])
                return started
            except CrashLoop as error:
                if not error.port_was_taken or attempt == ATTEMPTS:
                    raise
            with self._starting:
                move_ports(self._layout, names)
                pki.write_kubeconfigs(self._layout, self._site().api_server)
        return started

    def _ensure_nodes(self, *, afresh: bool) -> bool:
        nodes = nodes_of(self._definition, self._version())
        if not afresh and self._layout.read_json("nodes.json") == {"nodes": nodes}:
            return False
        from devloop.clients.kube import Kube

        apply_nodes(Kube(self.kubeconfig()), nodes)
        self._layout.write_json("nodes.json", {"nodes": nodes})
        return True

    def _merge_context(self) -> bool:
        return self._ownership.enter_context(pki.kubeconfig(self._layout, "admin", self._site().api_server, self.context()))

    def _refuse_foreign(self) -> None:
        """What another repository left, and does not use any more, is no obstacle."""
        if self._ownership.is_foreign(self._environment) and control.runs(self._layout):
            self._ownership.refuse_foreign(self._environment)

    def _erase(self) -> bool:
        """No process and no file is left; whether there was anything. An erasure that was cut short is finished by the next."""
        folder = self._layout.folder
        control.end(self._layout)
        # A folder that is half gone must not be taken for an environment: it gets another name first.
        doomed = folder.with_name(f".{folder.name}.deleted")
        removed = _remove(doomed) | _remove(self._layout.memory)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
        return _remove(doomed) or removed

    def _warn_of_version(self, emit: Emit) -> None:
        wanted = self._definition.kubernetes_version.removeprefix("v")
        pinned = self._tools.version("kube-apiserver")
        if wanted and wanted != pinned:
            where = f"{self._definition.path}: " if self._definition.path else ""
            emit(Notice(f"{where}asks for Kubernetes {wanted}; this provisioner runs {pinned}", Severity.WARNING))

    def _version(self) -> str:
        return f"v{self._tools.version('kube-apiserver')}"

    def _site(self) -> ComponentContext:
        return ComponentContext(self._layout, self._definition, self._tools, ports(self._layout))


def _component(site: ComponentContext, name: str) -> Component:
    if name == credentials.SERVER:
        return credentials.server(site)
    return CONTROL_PLANE[name](site) if name in CONTROL_PLANE else flux_controller(site, name)


def _state(component: Mapping[str, Any]) -> str:
    restarts = component["restarts"]
    return f"{component['state']}" + (f" ({restarts} restarts)" if restarts else "")


def _remove(folder: Path) -> bool:
    existed = folder.exists()
    if existed:
        shutil.rmtree(folder)
    return existed
