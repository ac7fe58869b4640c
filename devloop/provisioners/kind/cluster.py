"""The nodes of a Kind cluster: creates and starts them, and connects to the API server as soon as it responds."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import yaml

from devloop.clients import private_files
from devloop.clients.background import in_background
from devloop.clients.engine.containers import Container
from devloop.clients.kind import LABEL, ROLE_LABEL, Kind
from devloop.clients.kube import NAMESPACES, Kube
from devloop.clients.kubeconfig import single_context
from devloop.clients.ports import LOOPBACK
from devloop.clients.wait import PAUSE, WaitTimeout, until
from devloop.errors import DevloopError, Interrupted
from devloop.hint import Hint, command
from devloop.model.messages import counted
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.runtime.containers import ContainerRuntime

ADMIN = "/etc/kubernetes/admin.conf"  # kubeadm's admin kubeconfig
API_PORT = "6443/tcp"
BALANCER = "external-load-balancer"

PATIENCE = 180.0  # seconds for the API server of a new cluster on a busy machine
CREATION_PATIENCE = 900.0  # seconds for Kind after that
RESTART_PATIENCE = 45.0  # seconds for one whose node was restarted
KILL_TIMEOUT = 0.5  # seconds for Kind to exit


class Cluster:
    """One cluster by name; `kind` is called when the program is needed, `state` holds our kubeconfig."""

    def __init__(self, name: str, runtime: ContainerRuntime, kind: Callable[[], Kind], state: ClusterState) -> None:
        self.name = name
        self._runtime = runtime
        self._kind = kind
        self._state = state
        self._stop = runtime.stop
        self._creation: Future[None] | None = None
        self._given_up = threading.Event()
        self._settled = threading.Event()

    @property
    def context(self) -> str:
        return f"kind-{self.name}"

    def containers(self) -> tuple[Container, ...]:
        """All its containers, including the load balancer of several control planes."""
        return self._runtime.containers.labelled(f"{LABEL}={self.name}")

    def nodes(self) -> tuple[Container, ...]:
        return tuple(node for node in self.containers() if node.labels.get(ROLE_LABEL) != BALANCER)

    def begin(self, configuration: Mapping[str, Any], on_line: Callable[[str], None]) -> None:
        """Create it in the background; `await_api` and `finish` wait for it."""
        text = yaml.safe_dump(dict(configuration), sort_keys=False)
        self.settle()
        arguments = (self.name, text, self._state.scratch, on_line, self._given_up)
        self._creation = in_background(lambda: self._kind().create(*arguments), "kind create")

    def finish(self) -> bool:
        """Wait until Kind is finished and raise its error; False if `begin` was not called."""
        if self._creation is None:
            return False
        deadline = time.monotonic() + CREATION_PATIENCE
        while not self._creation.done():
            if self._stop.wait(PAUSE):
                self.give_up()
                break
            if time.monotonic() > deadline:
                self.give_up()
                raise WaitTimeout(f"Kind did not finish {self.context} within {CREATION_PATIENCE:.0f} s", hint=self._log_command())
        if not self._creation.done():
            raise Interrupted("interrupted while Kind was running")
        self._creation.result()
        self._state.scratch.unlink(missing_ok=True)
        return True

    def give_up(self) -> None:
        """End Kind if it is running, and all waits for the cluster."""
        self._given_up.set()
        if self._creation:
            wait([self._creation], timeout=KILL_TIMEOUT)

    def check(self) -> None:
        """Raises DevloopError once the creation has failed, to end waits in other steps."""
        if self._given_up.is_set() or (self._creation and self._creation.done() and self._creation.exception()):
            raise DevloopError(f"there is no cluster {self.context}", hint="see the step `cluster`")

    def settle(self) -> None:
        """From now on no nodes of an earlier run will be removed."""
        self._settled.set()

    def await_nodes(self, count: int) -> tuple[Container, ...]:
        """Wait until `count` nodes run and will not be removed."""

        def running() -> tuple[Container, ...]:
            self.check()
            nodes = tuple(node for node in self.nodes() if node.runs) if self._settled.is_set() else ()
            return nodes if len(nodes) >= count else ()

        hint = command("docker ps --all --filter", f"label={LABEL}={self.name}")
        return until(running, counted(count, "node"), patience=PATIENCE, stop=self._stop, hint=hint)

    def start_stopped(self) -> bool:
        """Start stopped and paused containers; whether there were any."""
        stopped = [node for node in self.containers() if not node.runs]
        for node in stopped:
            self._runtime.containers.start(node)
        return bool(stopped)

    def delete(self) -> bool:
        """Remove all its containers in parallel; whether there were any."""
        names = [container.name for container in self.containers()]
        with ThreadPoolExecutor() as pool:
            return any(list(pool.map(self._runtime.containers.remove, names)))

    def await_api(self, patience: float = PATIENCE) -> None:
        """Wait until the API server accepts requests with our kubeconfig. Raises WaitTimeout."""

        def is_ready() -> bool:
            if self._creation and self._creation.done():
                self._creation.result()
            self.check()
            kubeconfig = self._state.kubeconfig
            return (kubeconfig.exists() and answers(kubeconfig)) or (self._write_kubeconfig() and answers(kubeconfig))

        until(is_ready, f"the API server of {self.context}", patience=patience, stop=self._stop, hint=self._log_command)

    def _write_kubeconfig(self) -> bool:
        """Copy the admin kubeconfig from a control plane; False if it does not exist yet."""
        containers = self.containers()
        planes = [node for node in containers if node.labels.get(ROLE_LABEL) == "control-plane" and node.runs]
        servers = [node for node in containers if node.labels.get(ROLE_LABEL) == BALANCER] or planes
        port = servers[0].ports.get(API_PORT) if servers else None
        content = self._runtime.containers.read(planes[0].name, ADMIN) if planes and port else None
        if not content:
            return False
        entry = renamed(yaml.safe_load(content), self.context, f"https://{LOOPBACK}:{port}")
        text = yaml.safe_dump(entry, sort_keys=False)
        if not self._state.kubeconfig.exists() or self._state.kubeconfig.read_text() != text:
            private_files.write(self._state.kubeconfig, text)
        return True

    def _log_command(self) -> Hint:
        planes = [node.name for node in self.nodes() if node.labels.get(ROLE_LABEL) == "control-plane"]
        kubelet_log = ("journalctl", "--no-pager", "--lines", "50", "--unit", "kubelet")
        return command("docker exec", planes[0], *kubelet_log) if planes else command("docker ps --all")


def first_node(name: str) -> str:
    """Kind's name for the first control plane, both container and node."""
    return f"{name}-control-plane"


def renamed(config: Mapping[str, Any], name: str, server: str) -> dict[str, Any]:
    """kubeadm's kubeconfig with Kind's names, and the API server's address on this machine."""
    cluster = {**config["clusters"][0]["cluster"], "server": server}
    return single_context(name, cluster, config["users"][0]["user"])


def answers(kubeconfig: Path) -> bool:
    """Whether the API server accepts requests with this kubeconfig."""
    try:
        return Kube(kubeconfig).get(NAMESPACES, "default") is not None
    except DevloopError:
        return False
