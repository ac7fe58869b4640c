"""The Kind provisioner: the cluster's nodes as containers of the machine's engine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from devloop.clients.background import unless_stopped
from devloop.clients.engine import Engine, address, connect
from devloop.clients.kind import NETWORK, Kind
from devloop.clients.ports import is_free
from devloop.clients.wait import WaitTimeout
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, command, instructions
from devloop.model.cluster.environment import Environment
from devloop.model.flux.names import CONTROLLERS
from devloop.model.report import Emit, Notice, Progress
from devloop.provisioners import PROVISIONERS, ProvisionerStatus
from devloop.provisioners.kind.cluster import RESTART_PATIENCE, Cluster, answers, first_node
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.provisioners.kind.configuration import Configuration, configuration, described, differences, node_image, taken_ports
from devloop.provisioners.kind.loading import Loader
from devloop.provisioners.state_dirs import state_dir
from devloop.runtime.containers import ContainerRuntime
from devloop.toolchain import Toolchain

TITLE = "cluster"
KIND_STEPS = 6  # node image, nodes, configuration, control plane, CNI, storage class


class KindProvisioner:
    """One environment in the engine: what is there says the engine; whose it is, the claim."""

    name = "kind"

    def __init__(self, environment: Environment, tools: Toolchain, stop: threading.Event) -> None:
        self._environment = environment
        self._definition = environment.definition
        self._tools = tools
        self._claim = ClusterState(state_dir(self.name, self._definition.name))
        node = first_node(self._definition.name)
        self.runtime = ContainerRuntime(
            environment, tools, stop, NETWORK, node, self._claim.folder, connect=self._connect, check=lambda: self._cluster.check()
        )
        self._cluster = Cluster(self._definition.name, self.runtime, self._kind, self._claim)

    def _connect(self) -> Engine:
        engine = connect()
        self._claim.refuse_elsewhere(self._environment, engine.identity)
        return engine

    def _kind(self) -> Kind:
        return Kind(self._tools.path("kind"), podman=self.runtime.engine.is_podman)

    # -- the protocol -----------------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self.runtime.own_images  # noqa: B018 (asks the engine, once)
        if not self._claim.exists:
            self.runtime.engine.client  # noqa: B018 (loads its library, for all that must be made)

    def tools(self) -> tuple[str, ...]:
        return ("kind",)

    def context(self) -> str:
        return PROVISIONERS[self.name].context.format(name=self._definition.name)

    def kubeconfig(self) -> Path:
        return self._claim.kubeconfig

    def ensure_cluster(self, emit: Emit) -> bool:
        try:
            return self._ensure_cluster(emit)
        except BaseException:
            self._cluster.give_up()
            raise

    def _ensure_cluster(self, emit: Emit) -> bool:
        self._claim.owner.refuse_foreign(self._environment)
        wanted = configuration(self._definition, self._node_image(), self.runtime.own_images.get("node", ""))
        found = self._cluster.containers()
        if found and not self._claim.exists:
            name = self._definition.name
            message = f"the cluster kind-{name} was not made by devloop"
            raise DevloopError(
                message, hint=instructions(command("kind delete cluster --name", name), ", or give the definition another name")
            )
        if found and (not self._claim.is_whole or self._claim.owner.is_foreign(self._environment)):
            emit(Notice("removing what a repository that is gone, or a run that was interrupted, left of it"))
            self._cluster.delete()
            found = ()
        if not found:
            return self._create(wanted, emit)
        self._refuse_differences()
        return self._wake(wanted, emit)

    def ensure_nodes(self, emit: Emit) -> bool:
        made = self._cluster.finish()
        if made:
            self._claim.complete()
            if self._definition.network.cni not in ("Default", ""):
                cni = self._definition.network.cni
                emit(Notice(f"nodes become ready once the repository has brought {cni}; Flux runs on the node's own network until then"))
        return self._merge_context() or made

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        nodes = self._cluster.await_nodes(len(self._definition.nodes))
        loader = Loader(self.runtime.containers, self.runtime.images, self._claim.folder / "images.json")
        carried, stop = self._carried(), self.runtime.stop
        wanted = [reference for reference in references if reference not in carried]
        return unless_stopped(lambda: loader.load(nodes, wanted, stop), "the images", stop)

    def status(self) -> ProvisionerStatus:
        nodes, companions = self._cluster.containers(), self.runtime.companions()
        parts = (*nodes, *companions)
        if not parts:
            return ProvisionerStatus(exists=False, running=False)
        return ProvisionerStatus(
            exists=True,
            running=bool(nodes and companions) and all(part.runs for part in parts) and answers(self.kubeconfig()),
            owner=self._claim.owner.root,
            kubernetes_version=self._version(),
            components=tuple((part.name, part.state, self.runtime.containers.memory(part.name)) for part in parts),
            unit="container",
        )

    def delete(self, emit: Emit) -> bool:
        self._claim.owner.refuse_foreign(self._environment)
        ours = self._claim.exists
        with ThreadPoolExecutor() as pool:
            removals = [pool.submit(self._cluster.delete)] if ours else []
            removals.append(pool.submit(self.runtime.remove))
            # Nothing here needs the other; the claim goes last, so that what was cut short is still known to be ours.
            forgotten = ours and self._claim.owner.leave_context(self.context())
        existed = [removal.result() for removal in removals]
        return self._claim.remove() or any(existed) or forgotten

    # -- the parts --------------------------------------------------------------------------------------------------------------------

    def _create(self, wanted: Configuration, emit: Emit) -> bool:
        for host, port in taken_ports(self._definition):
            if not is_free(port, host):
                where = self._definition.kind_path or self._definition.path
                message = f"the host port {port} that {where} maps is taken"
                raise DevloopError(
                    message,
                    hint=instructions(command("ss --listening --tcp --processes sport =", f":{port}"), ", or choose another hostPort"),
                )
        image = next((node.get("image", "") for node in wanted["nodes"]), "")
        self._claim.make(self._environment, described(self._definition), image, (self.runtime.engine.identity, address()))
        self._cluster.begin(wanted, _Countdown(emit))
        self._cluster.await_api()
        return True

    def _refuse_differences(self) -> None:
        differing = differences(self._claim.configuration, described(self._definition))
        if differing:
            shown = "; ".join(differing[:4]) + (f"; {len(differing) - 4} more" if len(differing) > 4 else "")
            message = f"the definition no longer fits the cluster {self.context()}: {shown}"
            raise DevloopError(message, hint=DevloopCommand("up", self._environment.name, ("--recreate",)))

    def _wake(self, wanted: Configuration, emit: Emit) -> bool:
        """What exists answers; nodes that stopped are started, and made anew where that does not help: all that counts is in Git."""
        started = self._cluster.start_stopped()
        try:
            self._cluster.await_api(RESTART_PATIENCE)
        except WaitTimeout:
            emit(Notice(f"{self.context()} does not come up again, making it anew", Severity.WARNING))
            self._cluster.delete()
            return self._create(wanted, emit)
        self._cluster.settle()
        return started

    def _node_image(self) -> str:
        return node_image(self._definition, self.runtime.own_images.get("node", ""), self._tools.version("kubelet"))

    def _carried(self) -> set[str]:
        """The images that are in the nodes since they are in the image of the nodes, which is our own."""
        own = self.runtime.own_images
        if not self._claim.image or self._claim.image != own.get("node") or any(node.image for node in self._definition.nodes):
            return set()
        return {own[name] for name in CONTROLLERS if name in own}

    def _merge_context(self) -> bool:
        import yaml

        return self._claim.owner.enter_context(yaml.safe_load(self._claim.kubeconfig.read_text()))

    def _version(self) -> str:
        return self._claim.image.rpartition(":")[2].partition("@")[0] or "as Kind has it"


class _Countdown:
    """Turns the lines in which Kind tells of its steps into progress."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._done = 0

    def __call__(self, line: str) -> None:
        if line.startswith(" ✓"):
            self._done += 1
            self._emit(Progress(TITLE, "kind", min(1.0, self._done / KIND_STEPS)))
