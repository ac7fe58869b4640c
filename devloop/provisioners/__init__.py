"""Provisioners create clusters. Each is one folder and one line in PROVISIONERS."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from devloop.clients.xdg import state_folder
from devloop.errors import InputError

if TYPE_CHECKING:
    import threading

    from devloop.model.cluster.environment import Environment
    from devloop.model.report import Emit
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime
    from devloop.toolchain import Toolchain


class ProvisionerStatus(NamedTuple):
    """`running`: all components run; `stopped`: none does. `components` are (name, state, resident bytes); `unit` is what one is called."""

    exists: bool
    running: bool
    owner: str = ""
    kubernetes_version: str = ""
    components: tuple[tuple[str, str, int], ...] = ()
    unit: str = "process"
    stopped: bool = False


class Provisioner(Protocol):
    """The cluster of one environment.

    The `ensure_*` methods are idempotent and return whether they changed anything. They raise DevloopError with a hint, and Interrupted
    within a second after `stop` is set. `emit` takes notices and progress.
    """

    name: str

    @property
    def runtime(self) -> ContainerRuntime | ProcessRuntime:
        """Where the Git server and Flux run."""

    def prepare(self) -> None:
        """Load libraries and open connections. Changes nothing; may run in parallel with anything, and may fail."""

    def tools(self) -> tuple[str, ...]:
        """The pinned tools that `ensure_cluster` needs."""

    def context(self) -> str:
        """The name of the kubeconfig context."""

    def kubeconfig(self) -> Path:
        """A private kubeconfig with admin rights. Call `ensure_cluster` first."""

    def fetch(self, emit: Emit) -> bool:
        """Fetch the images that a new cluster's nodes run; whether any was missing. Changes nothing else."""

    def resumes_slowly(self) -> bool:
        """Whether it is stopped, and takes seconds to start again. Quick."""

    def ensure_cluster(self, emit: Emit) -> bool:
        """Create the cluster or start it, and wait for its API server only."""

    def attach(self) -> None:
        """Take the cluster as it is, instead of `ensure_cluster`; it runs."""

    def ensure_nodes(self, emit: Emit) -> bool:
        """Wait for the rest of the cluster and add the context to the user's kubeconfig. Call `ensure_cluster` first."""

    def ensure_images(self, references: Sequence[str], emit: Emit) -> tuple[str, ...]:
        """Load those of the images that this machine has or can build into the nodes; which were loaded.

        May run in parallel with `ensure_cluster`, which or `attach` it needs.
        """

    def status(self, *, measured: bool = False) -> ProvisionerStatus:
        """The state of the cluster, Git server and Flux; changes nothing. `measured`: with their memory, which takes a moment."""

    def shut_down(self, emit: Emit) -> bool:
        """End or pause all that runs and keep all data, for `ensure_cluster` to continue; whether anything ran."""

    def delete(self, emit: Emit) -> bool:
        """Delete the cluster, Git server, data and kubeconfig entry; whether there was anything."""


class Registration(NamedTuple):
    """A provisioner's class ("module:class") and its names for a cluster {name}: the folder in devloop's state, the kubeconfig context.

    The package of the class may have a module `discovery`, which finds its environments.
    `needs_linux`: of this machine itself; an engine may run Linux in a virtual machine.
    """

    target: str
    state_dir: str
    context: str
    needs_engine: bool = False
    needs_linux: bool = False


# In the order that `auto` prefers. Names of clusters have no @.
PROVISIONERS = {
    "kind": Registration("devloop.provisioners.kind:KindProvisioner", "kind@{name}", "kind-{name}", needs_engine=True),
    "embedded": Registration("devloop.provisioners.embedded:EmbeddedProvisioner", "{name}", "devloop-{name}", needs_linux=True),
}

AUTO = "auto"


def runs_here(name: str) -> bool:
    """Whether this operating system can run the provisioner."""
    return sys.platform == "linux" or not PROVISIONERS[name].needs_linux


def refuse_elsewhere(name: str) -> None:
    """Raises InputError for a provisioner that the user requested and this operating system cannot run."""
    if name != AUTO and not runs_here(name):
        others = " or ".join(f"--provisioner {other}" for other in PROVISIONERS if runs_here(other))
        raise InputError(f"the provisioner {name} requires Linux", hint=f"use {others}")


def preferred(*, with_engine: bool) -> str:
    """What `auto` selects for a new environment, with or without a container engine; '' if nothing runs without one."""
    possible = (name for name, registration in PROVISIONERS.items() if with_engine or not registration.needs_engine)
    return next(filter(runs_here, possible), "")


def state_dir(provisioner: str, name: str) -> Path:
    return state_folder() / PROVISIONERS[provisioner].state_dir.format(name=name)


def existing(name: str) -> tuple[str, ...]:
    """The provisioners that have state of the cluster `name` and run here: a home can be shared with another system."""
    return tuple(provisioner for provisioner in PROVISIONERS if runs_here(provisioner) and state_dir(provisioner, name).exists())


def open_provisioner(name: str, environment: Environment, toolchain: Toolchain, stop: threading.Event) -> Provisioner:
    """The provisioner `name`; imports only that one. All its waits end once `stop` is set."""
    module, attribute = PROVISIONERS[name].target.split(":")
    provisioner: Provisioner = getattr(import_module(module), attribute)(environment, toolchain, stop)
    return provisioner
