"""The Kind provisioner: nodes, Git server and Flux controllers as containers of the machine's engine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from devloop.clients.containers import Containers
from devloop.clients.engine import Engine, address, connect
from devloop.clients.images import ImageStore
from devloop.clients.kind import Kind
from devloop.clients.kube import Kube
from devloop.clients.ports import is_free
from devloop.clients.wait import WaitTimeout
from devloop.diagnostic import Severity
from devloop.errors import DevloopError
from devloop.flux import deployments
from devloop.flux.rollout import await_rollout, is_available, start_afresh
from devloop.gitserver.container import GitServer
from devloop.gitserver.credentials import GitEndpoint
from devloop.images import Images
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Notice, Progress
from devloop.provisioners import ProvisionerStatus
from devloop.provisioners.kind.cluster import RESTART_PATIENCE, Cluster, answers
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.provisioners.kind.configuration import Configuration, configuration, described, differences, node_image, taken_ports
from devloop.provisioners.kind.loading import Loader
from devloop.provisioners.state_dirs import kind_folder
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
        self._stop = stop
        self._claim = ClusterState(kind_folder(self._definition.name))

    # -- doors, opened when first used ------------------------------------------------------------------------------------------------

    @cached_property
    def _engine(self) -> Engine:
        engine = connect()
        self._claim.refuse_elsewhere(self._environment, engine.identity)
        return engine

    @cached_property
    def _containers(self) -> Containers:
        return Containers(self._engine)

    @cached_property
    def _store(self) -> ImageStore:
        return ImageStore(self._engine)

    @cached_property
    def _own_images(self) -> dict[str, str]:
        """Name -> reference of the images that this machine made itself."""
        return Images(self._tools, self._engine).here()

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster(self._definition.name, self._containers, self._kind, self._claim, self._stop)

    def _kind(self) -> Kind:
        return Kind(self._tools.path("kind"), podman=self._engine.is_podman)

    @cached_property
    def _git_server(self) -> GitServer:
        def base() -> str:
            return self._own_images.get("git-server-base", "")

        return GitServer(self._environment, self._containers, self._store, self._claim.credentials, base)

    # -- the protocol -----------------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self._own_images  # noqa: B018 (asks the engine, once)
        if not self._claim.exists:
            self._engine.client  # noqa: B018 (loads its library, for all that must be made)

    def tools(self, controllers: Sequence[str]) -> tuple[str, ...]:
        return ("kind",)

    def context(self) -> str:
        return f"kind-{self._definition.name}"

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
        wanted = configuration(self._definition, self._node_image(), self._own_images.get("node", ""))
        found = self._cluster.containers()
        if found and not self._claim.exists:
            name = self._definition.name
            message = f"the cluster kind-{name} was not made by devloop"
            raise DevloopError(message, hint=f"kind delete cluster --name {name}, or give the definition another name")
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

    def ensure_images(self, references: Sequence[str], controllers: Sequence[str], emit: Emit) -> tuple[str, ...]:
        nodes = self._cluster.await_nodes(len(self._definition.nodes))
        loader = Loader(self._containers, self._store, self._claim.folder / "images.json")
        of_flux = () if self._carries_flux() else self._controller_images(controllers).values()
        return loader.load(nodes, (*of_flux, *references), self._stop)

    def ensure_git_server(self, emit: Emit) -> bool:
        return self._git_server.ensure(self._cluster.check, self._stop)

    def git_endpoint(self) -> GitEndpoint:
        return self._git_server.endpoint()

    def ensure_controllers(self, controllers: Sequence[str], emit: Emit) -> bool:
        kube = Kube(self.kubeconfig())
        applied = [
            kube.apply(deployment) for deployment in deployments.deployments(self._controller_images(controllers), self._cluster.first_node)
        ]
        if all(map(is_available, applied)):
            return False
        start_afresh(kube, controllers)
        await_rollout(kube, controllers, self._stop)
        return True

    def status(self) -> ProvisionerStatus:
        found = self._cluster.containers()
        server = self._git_server.find()
        if not (found or server):
            return ProvisionerStatus(exists=False, running=False)
        parts = [*found, *([server] if server else [])]
        return ProvisionerStatus(
            exists=True,
            running=bool(found) and all(part.runs for part in parts) and server is not None and answers(self.kubeconfig()),
            owner=self._claim.owner.root,
            kubernetes_version=self._version(),
            components=tuple((part.name, part.state, self._containers.memory(part.name)) for part in parts),
            unit="container",
        )

    def delete(self, emit: Emit) -> bool:
        self._claim.owner.refuse_foreign(self._environment)
        ours = self._claim.exists
        with ThreadPoolExecutor() as pool:
            removals = [pool.submit(self._cluster.delete)] if ours else []
            removals.append(pool.submit(self._git_server.delete))
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
                raise DevloopError(message, hint=f"ss --listening --tcp --processes sport = :{port}, or choose another hostPort")
        image = next((node.get("image", "") for node in wanted["nodes"]), "")
        self._claim.make(self._environment, described(self._definition), image, (self._engine.identity, address()))
        self._cluster.begin(wanted, _Countdown(emit))
        self._cluster.await_api()
        return True

    def _refuse_differences(self) -> None:
        differing = differences(self._claim.configuration, described(self._definition))
        if differing:
            shown = "; ".join(differing[:4]) + (f"; {len(differing) - 4} more" if len(differing) > 4 else "")
            message = f"the definition no longer fits the cluster {self.context()}: {shown}"
            raise DevloopError(message, hint=f"devloop up {self._environment.name} --recreate")

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
        return node_image(self._definition, self._own_images.get("node", ""), self._tools.version("kubelet"))

    def _controller_images(self, controllers: Sequence[str]) -> dict[str, str]:
        return {name: self._own_images.get(name) or deployments.upstream_image(name, self._tools.version(name)) for name in controllers}

    def _carries_flux(self) -> bool:
        """Whether the nodes are of our own image, which has the controllers in it."""
        return (
            self._claim.image != ""
            and self._claim.image == self._own_images.get("node")
            and not any(n.image for n in self._definition.nodes)
        )

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
