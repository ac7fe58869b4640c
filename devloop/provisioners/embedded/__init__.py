"""The embedded provisioner: control plane and kwok as host processes on loopback, without Docker."""

import contextlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop.clients import private_files
from devloop.clients.kube import Kube
from devloop.clients.orphans import marked
from devloop.diagnostic import Severity
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice
from devloop.provisioners import PROVISIONERS, ProvisionerStatus, state_dir
from devloop.provisioners.embedded import pki, simulated_failures
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, FIRST, REST, service_address
from devloop.provisioners.embedded.nodes import apply_nodes, nodes_of, release_nodes
from devloop.provisioners.ownership import Ownership
from devloop.runtime import control
from devloop.runtime.components import MARKER, ComponentContext, ToolPaths
from devloop.runtime.layout import Layout
from devloop.runtime.processes import ProcessRuntime


class EmbeddedProvisioner:
    """One environment in `state_folder()/<name>`, run by a supervisor."""

    name = "embedded"

    def __init__(self, environment: Environment, tools: ToolPaths, stop: threading.Event) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._layout = Layout(state_dir(self.name, environment.definition.name))
        # Removed last, so that the next deletion can finish an interrupted one.
        self._ownership = Ownership(self._layout.folder / "owner.json")
        self.runtime = ProcessRuntime(self._layout, self._definition, tools, stop, self._claim, self._configure)

    def fetch(self, emit: Emit) -> bool:
        return False

    def prepare(self) -> None:
        """Nothing to load."""

    def tools(self) -> tuple[str, ...]:
        return tuple(CONTROL_PLANE)

    def context(self) -> str:
        return PROVISIONERS[self.name].context.format(name=self._definition.name)

    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig("admin")

    def resumes_slowly(self) -> bool:
        return self._nodes_file.exists() and not control.runs(self._layout) and not self._ownership.is_foreign(self._environment)

    def ensure_cluster(self, emit: Emit) -> bool:
        self._warn_of_version(emit)
        self.runtime.ensure_supervisor(emit)
        started = self.runtime.run(FIRST)
        if started and self._nodes_file.exists() and not control.is_running(self._layout, "kwok"):
            release_nodes(Kube(self.kubeconfig()))
        private_files.write(self._layout.stages, simulated_failures.stages())
        started |= self.runtime.run(REST)
        return self._ensure_nodes(force=started) or started

    def attach(self) -> None:
        """Nothing is different."""

    def ensure_nodes(self, emit: Emit) -> bool:
        server = self.runtime.context.api_server
        return self._ownership.enter_context(pki.kubeconfig(self._layout, "admin", server, self.context()))

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        return ()  # pods are simulated

    def status(self, *, measured: bool = False) -> ProvisionerStatus:
        if not self._layout.folder.exists():
            return ProvisionerStatus(exists=False, running=False)
        try:
            response = control.ask(self._layout, {"op": "status"})
        except control.NoSupervisor:
            left = str(self._layout.folder) in marked(MARKER)
            return ProvisionerStatus(exists=True, running=False, owner=self._ownership.root, stopped=not left)
        components = response["components"]
        running = {component["name"] for component in components if component["state"] == "running"}
        return ProvisionerStatus(
            exists=True,
            running=running.issuperset(CONTROL_PLANE),
            owner=self._ownership.root,
            kubernetes_version=self._version(),
            components=(("supervisor", "running", response["memory"]), *((c["name"], _state(c), c["memory"]) for c in components)),
        )

    def shut_down(self, emit: Emit) -> bool:
        self._ownership.refuse_foreign(self._environment)
        ran = not self.status().stopped
        control.end(self._layout)
        _remove(self._layout.memory)
        return ran

    def delete(self, emit: Emit) -> bool:
        self._ownership.refuse_foreign(self._environment)
        try:
            forgotten = self._ownership.leave_context(self.context())
        finally:
            removed = self._erase()
        return removed or forgotten

    def _claim(self, emit: Emit) -> None:
        """Refuse an environment of another repository, or remove it if that repository no longer exists."""
        self._refuse_foreign()
        if self._ownership.is_foreign(self._environment):
            emit(Notice(f"removing {self._definition.name}, left behind by {self._ownership.root}"))
            self._erase()

    def _configure(self, context: ComponentContext) -> None:
        self._ownership.take(self._environment)
        pki.ensure_pki(self._layout, service_address(self._definition))
        pki.write_kubeconfigs(self._layout, context.api_server)

    def _ensure_nodes(self, *, force: bool) -> bool:
        nodes = nodes_of(self._definition, self._version())
        if not force and private_files.read_json(self._nodes_file) == {"nodes": nodes}:
            return False
        apply_nodes(Kube(self.kubeconfig()), nodes)
        private_files.write_json(self._nodes_file, {"nodes": nodes})
        return True

    @property
    def _nodes_file(self) -> Path:
        """What the API server has of nodes."""
        return self._layout.folder / "nodes.json"

    def _refuse_foreign(self) -> None:
        """Raises DevloopError if another repository is using it; leftovers are fine."""
        if self._ownership.is_foreign(self._environment) and control.runs(self._layout):
            self._ownership.refuse_foreign(self._environment)

    def _erase(self) -> bool:
        """Remove all processes and files; whether there was anything. Can be repeated after an interruption."""
        folder = self._layout.folder
        control.end(self._layout)
        doomed = self._layout.doomed
        removed = _remove(doomed) | _remove(self._layout.memory)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(doomed)
        return _remove(doomed) or removed

    def _warn_of_version(self, emit: Emit) -> None:
        wanted = self._definition.kubernetes_version.removeprefix("v")
        pinned = self._tools.version("kube-apiserver")
        if wanted and wanted != pinned:
            where = f"{self._definition.path}: " if self._definition.path else ""
            emit(Notice(f"{where}requests Kubernetes {wanted}; this provisioner runs {pinned}", Severity.WARNING))

    def _version(self) -> str:
        return f"v{self._tools.version('kube-apiserver')}"


def _state(component: Mapping[str, Any]) -> str:
    restarts = component["restarts"]
    return str(component["state"]) + (f" ({restarts} restarts)" if restarts else "")


def _remove(folder: Path) -> bool:
    existed = folder.exists()
    if existed:
        shutil.rmtree(folder)
    return existed
