"""The Kind provisioner: nodes as containers."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from devloop.clients.background import unless_stopped
from devloop.clients.engine import Engine, address, connect
from devloop.clients.engine.pull import ImageNotPulled
from devloop.clients.kind import NETWORK, Kind
from devloop.clients.ports import is_free
from devloop.clients.wait import WaitTimeout
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, command, instructions
from devloop.images import sample_platform
from devloop.model.cluster.environment import Environment
from devloop.model.flux.names import CONTROLLERS
from devloop.model.kubernetes.image import parse_image
from devloop.model.report import Emit, Notice, Progress
from devloop.provisioners import PROVISIONERS, ProvisionerStatus, state_dir
from devloop.provisioners.kind.cluster import RESTART_PATIENCE, Cluster, answers, first_node
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.provisioners.kind.configuration import configuration, described, differences, host_ports
from devloop.provisioners.kind.loading import Loader
from devloop.provisioners.kind.node_image import PUBLISHED, NodeImage, node_image
from devloop.runtime.containers import ContainerRuntime
from devloop.toolchain import Toolchain

TITLE = "cluster"
LOAD_PATIENCE = 1800.0  # seconds
KIND_STEPS = 6  # node image, nodes, configuration, control plane, CNI, storage class


class KindProvisioner:
    """One environment in a container engine; `ClusterState` knows the owner."""

    name = "kind"

    def __init__(self, environment: Environment, tools: Toolchain, stop: threading.Event) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._state = ClusterState(state_dir(self.name, self._definition.name))
        node = first_node(self._definition.name)
        self.runtime = ContainerRuntime(
            environment, tools, stop, NETWORK, node, self._state.folder, connect=self._connect, check=lambda: self._cluster.check()
        )
        self._cluster = Cluster(self._definition.name, self.runtime, self._kind, self._state)

    def _connect(self) -> Engine:
        engine = connect()
        self._state.refuse_elsewhere(self._environment, engine.identity)
        return engine

    def _kind(self) -> Kind:
        return Kind(self._tools.path("kind"), podman=self.runtime.engine.is_podman)

    def prepare(self) -> None:
        self.runtime.own_images  # noqa: B018 (connects to the engine)
        if not self._state.exists:
            self.runtime.engine.client  # noqa: B018 (loads the Docker library)

    def tools(self) -> tuple[str, ...]:
        return ("kind",)

    def context(self) -> str:
        return PROVISIONERS[self.name].context.format(name=self._definition.name)

    def kubeconfig(self) -> Path:
        return self._state.kubeconfig

    def fetch(self, emit: Emit) -> bool:
        return not self._cluster.containers() and self._fetch_images(emit)

    def _fetch_images(self, emit: Emit) -> bool:
        default = self._node_image().reference
        references = dict.fromkeys(node.image or default for node in self._definition.nodes)
        return bool([reference for reference in references if self._fetch(reference, emit)])

    def _fetch(self, reference: str, emit: Emit) -> bool:
        if self.runtime.images.identity(reference):
            return False
        try:
            self.runtime.images.pull(reference, lambda fraction: emit(Progress(TITLE, reference, fraction)), self.runtime.stop)
        except ImageNotPulled as error:
            if not reference.startswith(PUBLISHED):
                raise
            raise error.or_else(", or build a node image: ", command("devloop toolchain images node")) from None
        emit(Progress(TITLE, reference, 1.0, 0.0, done=True))
        return True

    def resumes_slowly(self) -> bool:
        return False  # containers are paused

    def ensure_cluster(self, emit: Emit) -> bool:
        try:
            return self._ensure_cluster(emit)
        except BaseException:
            self._cluster.give_up()
            raise

    def _ensure_cluster(self, emit: Emit) -> bool:
        self._state.owner.refuse_foreign(self._environment)
        exists = bool(self._cluster.containers())
        if exists and not self._state.exists:
            delete = command("kind delete cluster --name", self._definition.name)
            message = f"the cluster {self.context()} was not created by devloop"
            raise DevloopError(message, hint=instructions(delete, ", or rename the cluster in the definition"))
        if exists and (not self._state.is_complete or self._state.owner.is_foreign(self._environment)):
            emit(Notice("removing an incomplete cluster, left behind by an interrupted run or a deleted repository"))
            self._cluster.delete()
            exists = False
        if not exists:
            return self._create(emit)
        self._refuse_differences()
        return self._resume(emit)

    def attach(self) -> None:
        self._cluster.settle()

    def ensure_nodes(self, emit: Emit) -> bool:
        created, cni = self._cluster.finish(), self._definition.network.cni
        if created:
            self._state.owner.note(whole=True)
            if cni not in ("Default", ""):
                emit(Notice(f"nodes become ready once the repository has installed {cni}; until then Flux uses the host network"))
        return self._state.owner.enter_context(yaml.safe_load(self._state.kubeconfig.read_text())) or created

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        nodes = self._cluster.await_nodes(len(self._definition.nodes))
        loader = Loader(self.runtime.containers, self.runtime.images, self._state.folder / "images.json")
        included, stop = self._included_images(), self.runtime.stop
        wanted = [reference for reference in references if reference not in included]
        if sample_platform.REFERENCE in wanted:
            sample_platform.ensure_image(self.runtime.images, self.runtime.own_images, stop)
        return unless_stopped(lambda: loader.load(nodes, wanted, stop), "the images in the nodes", stop, LOAD_PATIENCE)

    def status(self, *, measured: bool = False) -> ProvisionerStatus:
        nodes, companions = self._cluster.containers(), self.runtime.companions()
        containers = (*nodes, *companions)
        if not containers:
            return ProvisionerStatus(exists=False, running=False)
        return ProvisionerStatus(
            exists=True,
            running=bool(nodes and companions) and all(container.runs for container in containers) and answers(self.kubeconfig()),
            owner=self._state.owner.root,
            kubernetes_version=(image.tag if (image := parse_image(self._state.image)) else "") or "Kind's default",
            components=tuple((c.name, c.state, self.runtime.containers.memory(c.name) if measured else 0) for c in containers),
            unit="container",
            stopped=not any(container.runs for container in containers),
        )

    def shut_down(self, emit: Emit) -> bool:
        self._state.owner.refuse_foreign(self._environment)
        containers = (*(self._cluster.containers() if self._state.exists else ()), *self.runtime.companions())
        running = [container.name for container in containers if container.runs]
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.runtime.containers.pause, running))
        return bool(running)

    def delete(self, emit: Emit) -> bool:
        self._state.owner.refuse_foreign(self._environment)
        exists = self._state.exists
        if not exists and self._cluster.containers():
            message = f"the cluster {self.context()} is kept: devloop has no record of having created it"
            emit(Notice(message, Severity.WARNING, command("kind delete cluster --name", self._definition.name)))
        with ThreadPoolExecutor() as pool:
            removals = [pool.submit(self._cluster.delete)] if exists else []
            removals.append(pool.submit(self.runtime.remove))
            # The state is removed last, so that an interrupted deletion can be continued.
            forgotten = exists and self._state.owner.leave_context(self.context())
        existed = [removal.result() for removal in removals]
        return self._state.remove() or any(existed) or forgotten

    def _create(self, emit: Emit) -> bool:
        chosen = self._node_image()
        if chosen.note:
            emit(Notice(chosen.note))
        wanted = configuration(self._definition, chosen.reference, self.runtime.own_images.get("node", ""))
        for host, port in host_ports(self._definition):
            if not is_free(port, host):
                path = self._definition.kind_path or self._definition.path
                list_listeners = command("ss --listening --tcp --processes sport =", f":{port}")
                raise DevloopError(f"the host port {port} in {path} is in use", hint=instructions(list_listeners, ", or change hostPort"))
        image = next((node.get("image", "") for node in wanted["nodes"]), "")
        self._fetch_images(emit)
        self._state.make(self._environment, described(self._definition), image, (self.runtime.engine.identity, address()))
        self._cluster.begin(wanted, _on_line(emit))
        self._cluster.await_api()
        return True

    def _refuse_differences(self) -> None:
        differing = differences(self._state.configuration, described(self._definition))
        if differing:
            shown = "; ".join(differing[:4]) + (f"; {len(differing) - 4} more" if len(differing) > 4 else "")
            message = f"the definition no longer matches the cluster {self.context()}: {shown}"
            raise DevloopError(message, hint=DevloopCommand("up", self._environment.name, ("--recreate",)))

    def _resume(self, emit: Emit) -> bool:
        """Start stopped nodes; recreate the cluster if that does not help, since all state is in Git."""
        started = self._cluster.start_stopped()
        try:
            self._cluster.await_api(RESTART_PATIENCE)
        except WaitTimeout:
            emit(Notice(f"{self.context()} does not start again, recreating it", Severity.WARNING))
            self._cluster.delete()
            return self._create(emit)
        self._cluster.settle()
        return started

    def _node_image(self) -> NodeImage:
        default, own = self._tools.version("kubelet"), self.runtime.own_images.get("node")
        return node_image(self._definition, {default: own} if own else {}, self._tools.node_images(), default)

    def _included_images(self) -> set[str]:
        """Images that our own node image already includes."""
        own = self.runtime.own_images
        if not self._state.image or self._state.image != own.get("node") or any(node.image for node in self._definition.nodes):
            return set()
        return {own[name] for name in CONTROLLERS if name in own}


def _on_line(emit: Emit) -> Callable[[str], None]:
    """Turns Kind's output into progress: one line with a check mark per step."""
    done = itertools.count(1)

    def on_line(line: str) -> None:
        if line.startswith(" ✓"):
            emit(Progress(TITLE, "kind", min(1.0, next(done) / KIND_STEPS)))

    return on_line
