"""Where the cluster, the Git server and the Flux controllers run. Each provisioner is one folder and one line in PROVISIONERS."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devloop.gitserver.credentials import GitEndpoint
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit
from devloop.runtime.components import ToolPaths


@dataclass(frozen=True)
class ProvisionerStatus:
    """`running`: everything that was asked for answers. `components`, each a `unit`: name -> (state, resident bytes)."""

    exists: bool
    running: bool
    owner: str = ""
    kubernetes_version: str = ""
    components: tuple[tuple[str, str, int], ...] = ()
    unit: str = "process"


class Provisioner(Protocol):
    """Every `ensure_*` looks first, acts if needed and returns whether it changed something; all may be called again at any time.

    They raise DevloopError with a hint. `emit` takes notices and progress.
    """

    name: str

    def prepare(self) -> None:
        """What takes a moment and changes nothing (libraries, connections); may run beside everything else, and fail."""

    def tools(self, controllers: Sequence[str]) -> tuple[str, ...]:
        """Names of the pinned tools that `ensure_cluster` and `ensure_controllers` need."""

    def context(self) -> str:
        """The name of the kubeconfig context."""

    def kubeconfig(self) -> Path:
        """A kubeconfig file of our own (mode 0600) with admin rights, only after `ensure_cluster`."""

    def ensure_cluster(self, emit: Emit) -> bool:
        """The API server takes requests; what else belongs to the cluster may still be on its way."""

    def ensure_nodes(self, emit: Emit) -> bool:
        """All of the cluster is there, the context is in the user's kubeconfig; after `ensure_cluster`."""

    def ensure_images(self, references: Sequence[str], controllers: Sequence[str], emit: Emit) -> tuple[str, ...]:
        """The nodes have those images that this machine has, of the workloads (`references`) and of the controllers; which were sent.
        May run beside `ensure_cluster`."""

    def ensure_git_server(self, emit: Emit) -> bool:
        """The Git server answers; may run beside `ensure_cluster`."""

    def git_endpoint(self) -> GitEndpoint:
        """Only after `ensure_git_server`."""

    def ensure_controllers(self, controllers: Sequence[str], emit: Emit) -> bool:
        """The named Flux controllers run; needs their CRDs, namespace and RBAC in the cluster."""

    def status(self) -> ProvisionerStatus:
        """What exists, without changing it; quick."""

    def delete(self, emit: Emit) -> bool:
        """Everything of this environment is gone: processes, ports, data, kubeconfig entry. False when there was nothing."""


def open_provisioner(name: str, environment: Environment, tool_paths: ToolPaths, stop: threading.Event) -> Provisioner:
    """The provisioner of that name for one environment; imports only that one. Once `stop` is set, whatever it waits for is given up."""
    from importlib import import_module

    module, attribute = PROVISIONERS[name].split(":")
    provisioner: Provisioner = getattr(import_module(module), attribute)(environment, tool_paths, stop)
    return provisioner


PROVISIONERS = {
    "kind": "devloop.provisioners.kind:KindProvisioner",
    "embedded": "devloop.provisioners.embedded:EmbeddedProvisioner",
}
