"""The nodes of a cluster of Kind: creating them, finding out early that the API server answers, starting what was stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from devloop.clients import private_files
from devloop.clients.background import in_background
from devloop.clients.engine.containers import Container
from devloop.clients.kind import LABEL, ROLE_LABEL, Kind
from devloop.clients.kube import NAMESPACES, Kube
from devloop.clients.ports import LOOPBACK
from devloop.clients.wait import PAUSE, until
from devloop.errors import DevloopError, Interrupted
from devloop.hint import Hint, command
from devloop.model.messages import counted
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.runtime.containers import ContainerRuntime

ADMIN = "/etc/kubernetes/admin.conf"  # kubeadm's kubeconfig of the administrator
API_PORT = "6443/tcp"
BALANCER = "external-load-balancer"

PATIENCE = 180.0  # seconds for the API server of a new cluster on a busy machine
RESTART_PATIENCE = 45.0  # seconds for one whose node was started again
LAST_WORDS = 0.5  # seconds for Kind to end when it is told to


class Cluster:
    """One cluster by name; `kind` gives the program when it is needed, `claim` is where our kubeconfig goes."""

    def __init__(self, name: str, runtime: ContainerRuntime, kind: Callable[[], Kind], claim: ClusterState) -> None:
        self.name = name
        self._runtime = runtime
        self._kind = kind
        self._claim = claim
        self._stop = runtime.stop
        self._creation: Future[None] | None = None
        self._given_up = threading.Event()
        self._settled = threading.Event()

    @property
    def context(self) -> str:
        return f"kind-{self.name}"

    def containers(self) -> tuple[Container, ...]:
        """All of its containers, the load balancer of several control planes included."""
        return self._runtime.containers.labelled(f"{LABEL}={self.name}")

    def nodes(self) -> tuple[Container, ...]:
        return tuple(node for node in self.containers() if node.labels.get(ROLE_LABEL) != BALANCER)

    # -- making it --------------------------------------------------------------------------------------------------------------------

    def begin(self, configuration: Mapping[str, Any], on_line: Callable[[str], None]) -> None:
        """Have Kind create it, beside us: `await_api` and `finish` tell how that goes."""
        import yaml

        text = yaml.safe_dump(dict(configuration), sort_keys=False)
        self.settle()
        self._creation = in_background(
            lambda: self._kind().create(self.name, text, self._claim.scratch, on_line, self._given_up), "kind create"
        )

    def finish(self) -> bool:
        """Wait until Kind has come to its end; False where it was not asked for anything. Raises what Kind says."""
        if self._creation is None:
            return False
        while not self._creation.done():
            if self._stop.wait(PAUSE):
                self.give_up()
                break
        if not self._creation.done():
            raise Interrupted("interrupted while Kind was at work")
        self._creation.result()
        self._claim.scratch.unlink(missing_ok=True)
        return True

    def give_up(self) -> None:
        """End Kind where it is at work; whoever waits for the cluster need not any longer."""
        self._given_up.set()
        if self._creation:
            wait([self._creation], timeout=LAST_WORDS)

    def check(self) -> None:
        """For whoever waits for the cluster: raises once there will be none, without saying why."""
        if self._given_up.is_set() or (self._creation and self._creation.done() and self._creation.exception()):
            raise DevloopError(f"there is no cluster {self.context}", hint="the step `cluster` says why")

    def settle(self) -> None:
        """From now on the nodes that are there, or will be, are those that stay: nothing of an earlier run is about to be removed."""
        self._settled.set()

    def await_nodes(self, count: int) -> tuple[Container, ...]:
        """Its nodes, once that many of them run and stay."""

        def running() -> tuple[Container, ...]:
            self.check()
            found = tuple(node for node in self.nodes() if node.runs) if self._settled.is_set() else ()
            return found if len(found) >= count else ()

        hint = command("docker ps --all --filter", f"label={LABEL}={self.name}")
        return until(running, counted(count, "node"), patience=PATIENCE, stop=self._stop, hint=hint)

    def start_stopped(self) -> bool:
        """Start the containers that stopped; whether there were any."""
        stopped = [node for node in self.containers() if not node.runs]
        for node in stopped:
            self._runtime.containers.start(node.name)
        return bool(stopped)

    def delete(self) -> bool:
        """Remove every container of it, side by side; False where there was none."""
        names = [container.name for container in self.containers()]
        with ThreadPoolExecutor() as pool:
            return any(list(pool.map(self._runtime.containers.remove, names)))

    # -- its API server ---------------------------------------------------------------------------------------------------------------

    def await_api(self, patience: float = PATIENCE) -> None:
        """Until the API server takes the administrator's requests; our kubeconfig is there then. Raises Late."""

        def takes_requests() -> bool:
            if self._creation and self._creation.done():
                self._creation.result()
            self.check()
            known = self._claim.kubeconfig.exists() and answers(self._claim.kubeconfig)
            return known or (self._write_kubeconfig() and answers(self._claim.kubeconfig))

        until(takes_requests, f"the API server of {self.context}", patience=patience, stop=self._stop, hint=self._how_to_look)

    def _write_kubeconfig(self) -> bool:
        """Make a kubeconfig of the administrator's own on a control plane; False where it is not there yet."""
        import yaml

        containers = self.containers()
        planes = [node for node in containers if node.labels.get(ROLE_LABEL) == "control-plane" and node.runs]
        doors = [node for node in containers if node.labels.get(ROLE_LABEL) == BALANCER] or planes
        port = doors[0].ports.get(API_PORT) if doors else None
        content = self._runtime.containers.read(planes[0].name, ADMIN) if planes and port else None
        if not content:
            return False
        entry = renamed(yaml.safe_load(content), self.context, f"https://{LOOPBACK}:{port}")
        text = yaml.safe_dump(entry, sort_keys=False)
        if not self._claim.kubeconfig.exists() or self._claim.kubeconfig.read_text() != text:
            private_files.write(self._claim.kubeconfig, text)
        return True

    def _how_to_look(self) -> Hint:
        planes = [node.name for node in self.nodes() if node.labels.get(ROLE_LABEL) == "control-plane"]
        return (
            command("docker exec", planes[0], "journalctl", "--no-pager", "--lines", "50", "--unit", "kubelet")
            if planes
            else command("docker ps --all")
        )


def first_node(name: str) -> str:
    """What Kind calls the first control plane of the cluster `name`, the container and the node."""
    return f"{name}-control-plane"


def renamed(config: Mapping[str, Any], name: str, server: str) -> dict[str, Any]:
    """kubeadm's kubeconfig with the names that Kind gives to cluster, user and context, for the API server's address out here."""
    cluster = {**config["clusters"][0]["cluster"], "server": server}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": config["users"][0]["user"]}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def answers(kubeconfig: Path) -> bool:
    """Whether the API server takes the requests of this kubeconfig's user now."""
    try:
        return Kube(kubeconfig).get(NAMESPACES, "default") is not None
    except DevloopError:
        return False
