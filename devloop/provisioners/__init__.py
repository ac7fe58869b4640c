"""What makes a cluster, and no more. Each provisioner is one folder and one line in PROVISIONERS."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from devloop.model.cluster.environment import Environment
    from devloop.model.report import Emit
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime
    from devloop.toolchain import Toolchain


class ProvisionerStatus(NamedTuple):
    """`running`: everything that was asked for answers. `components`, each a `unit`: name -> (state, resident bytes)."""

    exists: bool
    running: bool
    owner: str = ""
    kubernetes_version: str = ""
    components: tuple[tuple[str, str, int], ...] = ()
    unit: str = "process"


class Provisioner(Protocol):
    """The cluster of one environment.

    Every `ensure_*` looks first, acts if needed and returns whether it changed something; all may be called again at any time. They raise
    DevloopError with a hint, and Interrupted within a second once the run's `stop` is set. `emit` takes notices and progress.
    """

    name: str

    @property
    def runtime(self) -> ContainerRuntime | ProcessRuntime:
        """Where the Git server and Flux run next to this cluster."""

    def prepare(self) -> None:
        """What takes a moment and changes nothing (libraries, connections); may run beside everything else, and fail."""

    def tools(self) -> tuple[str, ...]:
        """Names of the pinned tools that `ensure_cluster` needs."""

    def context(self) -> str:
        """The name of the kubeconfig context."""

    def kubeconfig(self) -> Path:
        """A kubeconfig file of our own (mode 0600) with admin rights, only after `ensure_cluster`."""

    def ensure_cluster(self, emit: Emit) -> bool:
        """The API server takes requests; what else belongs to the cluster may still be on its way."""

    def ensure_nodes(self, emit: Emit) -> bool:
        """All of the cluster is there, the context is in the user's kubeconfig; after `ensure_cluster`."""

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        """The nodes have those images that this machine has; which were sent. May run beside `ensure_cluster`."""

    def status(self) -> ProvisionerStatus:
        """What exists, what runs next to the cluster included, without changing it; quick."""

    def delete(self, emit: Emit) -> bool:
        """Nothing of this environment is left: cluster, what runs next to it, data, kubeconfig entry. False when there was nothing."""


class Registration(NamedTuple):
    """What is known of a provisioner without importing it.

    `target` is the class as "module:class", called with the environment, the toolchain and the run's `stop`; `state_dir` (a folder in
    devloop's state folder) and `context` (in the kubeconfig) are for a cluster of the name {name}.
    """

    target: str
    state_dir: str
    context: str
    needs_engine: bool = False


# In the order in which `auto` prefers them. No other environment's folder has an @ in its name.
PROVISIONERS = {
    "kind": Registration("devloop.provisioners.kind:KindProvisioner", "kind@{name}", "kind-{name}", needs_engine=True),
    "embedded": Registration("devloop.provisioners.embedded:EmbeddedProvisioner", "{name}", "devloop-{name}"),
}

AUTO = "auto"


def preferred(*, with_engine: bool) -> str:
    """What `auto` takes for a new environment where there is a container engine, or none."""
    return next(name for name, registered in PROVISIONERS.items() if with_engine or not registered.needs_engine)


def open_provisioner(name: str, environment: Environment, toolchain: Toolchain, stop: threading.Event) -> Provisioner:
    """The provisioner of that name for one environment; imports only that one. Once `stop` is set, it stops waiting for anything."""
    module, attribute = PROVISIONERS[name].target.split(":")
    provisioner: Provisioner = getattr(import_module(module), attribute)(environment, toolchain, stop)
    return provisioner
