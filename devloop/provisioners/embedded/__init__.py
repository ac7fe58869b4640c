"""The embedded provisioner: control plane, kwok, Git server and Flux controllers as host processes on loopback, no Docker needed."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from devloop.clients import kubeconfig
from devloop.clients.folders import state_folder
from devloop.clients.logs import tail
from devloop.clients.ports import free_ports
from devloop.clients.processes import sweep
from devloop.errors import DevloopError
from devloop.model.environment import Environment
from devloop.model.report import Emit, Notice, Severity
from devloop.provisioners import GitEndpoint, ProvisionerStatus, ToolPaths
from devloop.provisioners.embedded import control, git_server, pki
from devloop.provisioners.embedded.components import CONTROL_PLANE, GIT_SERVER, HOST, MARKER, PORTS, Commands, service_address
from devloop.provisioners.embedded.layout import Layout
from devloop.provisioners.embedded.nodes import nodes
from devloop.provisioners.embedded.waiting import wait_for

# The Kubernetes version that runs, whatever a definition asks for.
FIRST = ("etcd", "kube-apiserver")

# How often a start is tried again with new ports, when another program was quicker to take one.
ATTEMPTS = 3

# What the API server does after it serves and before it calls itself ready: nothing that we wait for needs it.
NOT_NEEDED = ("poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes")


class EmbeddedProvisioner:
    """One environment below `state_folder()/<name>`; the supervisor knows what runs, the folder what it runs with."""

    name = "embedded"

    def __init__(self, environment: Environment, tools: ToolPaths) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._layout = Layout(state_folder() / environment.definition.name)
        self._starting = threading.Lock()

    def tools(self, controllers: Sequence[str]) -> tuple[str, ...]:
        return (*CONTROL_PLANE, *controllers)

    def context(self) -> str:
        return f"devloop-{self._definition.name}"

    def kubeconfig(self) -> Path:
        return self._layout.kubeconfig("admin")

    def ensure_cluster(self, emit: Emit) -> bool:
        self._warn_of_version(emit)
        self._ensure_supervisor()
        for attempt in range(ATTEMPTS):
            commands = self._commands()
            is_new = bool(control.start(self._layout, [commands.of(name) for name in FIRST]))
            url = f"{commands.api_server}/readyz?" + "&".join(f"exclude={hook}" for hook in NOT_NEEDED)
            try:
                wait_for(self._layout, url, FIRST, credentials="admin")
                break
            except DevloopError:
                if attempt == ATTEMPTS - 1 or not self._port_was_taken(FIRST):
                    raise
                self._restart_with_new_ports()
        rest = [name for name in CONTROL_PLANE if name not in FIRST]
        is_new |= bool(control.start(self._layout, [commands.of(name) for name in rest]))
        if is_new:
            self._create_nodes()
        entry = pki.kubeconfig(self._layout, "admin", commands.api_server, self.context())
        return kubeconfig.merge(entry, kubeconfig.user_kubeconfig()) or is_new

    def ensure_git_server(self, emit: Emit) -> bool:
        self._ensure_supervisor()
        is_new = bool(control.start(self._layout, [self._commands().of(GIT_SERVER)]))
        if is_new:
            wait_for(self._layout, f"http://{HOST}:{self._ports()[GIT_SERVER]}/", (GIT_SERVER,))
        return is_new

    def git_endpoint(self) -> GitEndpoint:
        url = f"http://{HOST}:{self._ports()[GIT_SERVER]}/{git_server.REPOSITORY}"
        passwords = self._layout.read_json(git_server.CREDENTIALS)
        return GitEndpoint(
            url,
            url,
            git_server.PUSHER,
            str(passwords[git_server.PUSHER]),
            git_server.PULLER,
            str(passwords[git_server.PULLER]),
        )

    def ensure_controllers(self, controllers: Sequence[str], emit: Emit) -> bool:
        commands = self._commands()
        # Now the rules of RBAC do matter: a controller ends when it may not even ask which kinds there are.
        wait_for(self._layout, f"{commands.api_server}/readyz", FIRST, credentials="admin")
        is_new = bool(control.start(self._layout, [commands.of(name) for name in controllers]))
        if is_new:
            for name in controllers:
                wait_for(self._layout, f"http://{HOST}:{self._ports()[f'{name}-health']}/readyz", (name,))
        return is_new

    def status(self) -> ProvisionerStatus:
        owner = str(self._layout.read_json("owner.json").get("root", ""))
        if not self._layout.folder.exists():
            return ProvisionerStatus(False, False)
        try:
            answer = control.ask(self._layout, {"op": "status"})
        except control.NoSupervisor:
            return ProvisionerStatus(True, False, owner)
        components = tuple((c["name"], _state(c), c["memory"]) for c in answer["components"])
        running = {c["name"] for c in answer["components"] if c["state"] == "running"}
        return ProvisionerStatus(
            True,
            running.issuperset(CONTROL_PLANE),
            owner,
            f"v{self._tools.version('kube-apiserver')}",
            (("supervisor", "running", answer["memory"]), *components),
        )

    def delete(self, emit: Emit) -> bool:
        existed = self._layout.folder.exists()
        self._refuse_foreign()
        if existed:
            with contextlib.suppress(control.NoSupervisor):
                control.ask(self._layout, {"op": "stop"})
            sweep(MARKER, str(self._layout.folder))
            if self._layout.socket.parent != self._layout.folder:
                shutil.rmtree(self._layout.socket.parent, ignore_errors=True)
            # The owner goes last: a deletion that is cut short is still known to be ours, and is finished by the next one.
            for path in sorted(self._layout.folder.iterdir(), key=lambda p: p.name == "owner.json"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            self._layout.folder.rmdir()
        return kubeconfig.remove(self.context(), kubeconfig.user_kubeconfig()) or existed

    def _ensure_supervisor(self) -> None:
        """A supervisor answers, and everything that its components read is there."""
        with self._starting:
            self._refuse_foreign()
            with contextlib.suppress(control.NoSupervisor):
                control.ask(self._layout, {"op": "status"})
                return
            self._layout.make()
            self._layout.write_json("owner.json", {"root": str(self._environment.root)})
            self._prepare()
            control.launch(self._layout)

    def _prepare(self) -> None:
        pki.ensure_pki(self._layout, service_address(self._definition))
        if not self._layout.read_json(git_server.CREDENTIALS):
            passwords = {user: secrets.token_urlsafe(32) for user in (git_server.PUSHER, git_server.PULLER)}
            self._layout.write_json(git_server.CREDENTIALS, passwords)
        self._layout.write_json("ports.json", dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))
        pki.write_kubeconfigs(self._layout, self._commands().api_server)

    def _restart_with_new_ports(self) -> None:
        with contextlib.suppress(control.NoSupervisor):
            control.ask(self._layout, {"op": "stop"})
        sweep(MARKER, str(self._layout.folder))
        self._prepare()
        control.launch(self._layout)

    def _port_was_taken(self, names: Sequence[str]) -> bool:
        return any("address already in use" in tail(self._layout.log(name), 50) for name in names)

    def _refuse_foreign(self) -> None:
        """Names are this user's: another repository's running environment must not be taken over by accident."""
        owner = str(self._layout.read_json("owner.json").get("root", ""))
        if owner and owner != str(self._environment.root) and Path(owner).is_dir():
            name = self._environment.name
            raise DevloopError(f"the name {self._definition.name} is taken by {owner}", hint=f"devloop -C {owner} down {name}")

    def _create_nodes(self) -> None:
        from devloop.clients.kube import NODES, Kube

        kube = Kube(self.kubeconfig())
        for node in nodes(self._definition, f"v{self._tools.version('kube-apiserver')}"):
            if not kube.get(NODES, node["metadata"]["name"]):
                kube.request("POST", NODES.path(), node)

    def _warn_of_version(self, emit: Emit) -> None:
        wanted = self._definition.kubernetes_version.removeprefix("v")
        pinned = self._tools.version("kube-apiserver")
        if wanted and wanted != pinned:
            where = f"{self._definition.path}: " if self._definition.path else ""
            emit(Notice(f"{where}asks for Kubernetes {wanted}; this provisioner runs {pinned}", Severity.WARNING))

    def _commands(self) -> Commands:
        return Commands(self._layout, self._definition, self._tools, self._ports())

    def _ports(self) -> dict[str, int]:
        return {name: int(str(port)) for name, port in self._layout.read_json("ports.json").items()}


def _state(component: dict[str, object]) -> str:
    restarts = component["restarts"]
    return f"{component['state']}" + (f" ({restarts} restarts)" if restarts else "")
