"""The Git server that Flux pulls the snapshot from, for every provisioner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from devloop.gitserver.credentials import GitEndpoint
    from devloop.model.report import Emit
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime


class GitServer(Protocol):
    """The Git server of one environment. The runtime removes it."""

    def ensure(self, emit: Emit) -> bool:
        """Start it if needed; whether anything changed. May run while the cluster is being created."""

    def endpoint(self) -> GitEndpoint:
        """Its URLs and credentials. Call `ensure` first."""


def open_git_server(runtime: ContainerRuntime | ProcessRuntime) -> GitServer:
    """A container or a process, depending on `runtime`."""
    if runtime.place == "host":
        from devloop.gitserver.process import ProcessGitServer

        return ProcessGitServer(runtime)
    from devloop.gitserver.container import ContainerGitServer

    return ContainerGitServer(runtime)
