"""The embedded provisioner: control plane and kwok as host processes on loopback, no Docker needed."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop.clients.kube import Kube
from devloop.diagnostic import Severity
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice
from devloop.provisioners import PROVISIONERS, ProvisionerStatus
from devloop.provisioners.embedded import pki
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, FIRST, REST, service_address
from devloop.provisioners.embedded.nodes import apply_nodes, nodes_of
from devloop.provisioners.ownership import Ownership
from devloop.provisioners.state_dirs import state_dir
from devloop.runtime import control
from devloop.runtime.components import ComponentContext, ToolPaths
from devloop.runtime.layout import Layout
from devloop.runtime.processes import ProcessRuntime


class EmbeddedProvisioner:
    """One environment below `state_folder()/<name>`; the supervisor knows what runs, the folder what it runs with."""

    name = "embedded"

    def __init__(self, environment: Environment, tools: ToolPaths, stop: threading.Event) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._layout = Layout(state_dir(self.name, environment.definition.name))
        # Removed last: a deletion that is cut short is still known to be ours, and is finished by the next one.
        self._ownership = Ownership(self._layout.folder / "owner.json")
        self.runtime = ProcessRuntime(self._layout, self._definition, tools, stop, self._claim, self._configure)

    def prepare(self) -> None:
        """Nothing here takes long."""

    def tools(self) -> tuple[str, ...]:
        return tuple(CONTROL_PLANE)

    def context(self) -> str:
        return PROVISIONERS[self.name].context.format(name=self._definition.name)

    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig("admin")

    def ensure_cluster(self, emit: Emit) -> bool:
        self._warn_of_version(emit)
        self.runtime.ensure_supervisor(emit)
        started = self.runtime.run(FIRST)
        started |= self.runtime.run(REST)
        return self._ensure_nodes(afresh=started) or started

    def ensure_nodes(self, emit: Emit) -> bool:
        server = self.runtime.site.api_server
        return self._ownership.enter_context(pki.kubeconfig(self._layout, "admin", server, self.context()))

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        # Pods are simulated.
        return ()

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

    def _claim(self, emit: Emit) -> None:
        """The name is this repository's, or free; what a repository that is gone left of it is removed."""
        self._refuse_foreign()
        if self._ownership.is_foreign(self._environment):
            emit(Notice(f"removing what {self._ownership.root} left of {self._definition.name}"))
            self._erase()

    def _configure(self, site: ComponentContext) -> None:
        self._ownership.take(self._environment)
        pki.ensure_pki(self._layout, service_address(self._definition))
        pki.write_kubeconfigs(self._layout, site.api_server)

    def _ensure_nodes(self, *, afresh: bool) -> bool:
        nodes = nodes_of(self._definition, self._version())
        if not afresh and self._layout.read_json("nodes.json") == {"nodes": nodes}:
            return False
        apply_nodes(Kube(self.kubeconfig()), nodes)
        self._layout.write_json("nodes.json", {"nodes": nodes})
        return True

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


def _state(component: Mapping[str, Any]) -> str:
    restarts = component["restarts"]
    return f"{component['state']}" + (f" ({restarts} restarts)" if restarts else "")


def _remove(folder: Path) -> bool:
    existed = folder.exists()
    if existed:
        shutil.rmtree(folder)
    return existed
