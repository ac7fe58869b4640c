"""Serving the snapshot over Git, for every cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from devloop.gitserver.credentials import GitEndpoint
    from devloop.model.report import Emit
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime


class GitServer(Protocol):
    """The Git server of one environment; the runtime removes it."""

    def ensure(self, emit: Emit) -> bool:
        """It answers and takes our passwords; whether anything had to be done for that. May run while the cluster is created."""

    def endpoint(self) -> GitEndpoint:
        """Only after `ensure`."""


def open_git_server(runtime: ContainerRuntime | ProcessRuntime) -> GitServer:
    """The Git server as what runs there: a container or a process."""
    from devloop.runtime.processes import ProcessRuntime

    if isinstance(runtime, ProcessRuntime):
        from devloop.gitserver.process import ProcessGitServer

        return ProcessGitServer(runtime)
    from devloop.gitserver.container import ContainerGitServer

    return ContainerGitServer(runtime)
