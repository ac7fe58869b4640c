"""What the steps of one run share: connections and the event callback. Never the result of a step, nothing printed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.kube import Kube
from devloop.clients.worker import Worker
from devloop.clients.xdg import renderings_folder
from devloop.flux import Controllers, open_controllers
from devloop.gitserver import GitServer, open_git_server
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit
from devloop.provisioners import Provisioner
from devloop.repository.file_index import absent_paths, ignored_paths
from devloop.toolchain import Toolchain

if TYPE_CHECKING:
    from devloop.repository.age_identities import Identities


@dataclass
class Session:
    """The connections of one run, opened on first use. `stop` is set when the run must end (Ctrl-C); every wait checks it."""

    environment: Environment
    provisioner: Provisioner
    toolchain: Toolchain
    emit: Emit
    key_file: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def identities(self) -> Identities:
        from devloop.repository.age_keys import identities

        return identities(self.environment, self.key_file)

    @cached_property
    def worker(self) -> Worker:
        """The build worker, once it is installed."""
        return Worker(
            self.toolchain.path("worker"),
            self.environment.root,
            lambda: self.identities.text,
            store=renderings_folder(),
            ignored=ignored_paths,
            absent=absent_paths,
        )

    def again(self, emit: Emit) -> Session:
        """For the next run of this process: the same connections, another `stop`, and keys and files as they are now."""
        following = replace(self, emit=emit, stop=threading.Event())
        for name in ("worker", "kube", "git_server", "controllers"):
            if name in self.__dict__:
                following.__dict__[name] = self.__dict__[name]
        if following.has_worker:
            following.worker.reopen(lambda: following.identities.text)
        return following

    def reconnect(self) -> None:
        """Read the addresses and certificates of the environment again."""
        for name in ("kube", "git_server", "controllers"):
            self.__dict__.pop(name, None)

    @property
    def has_worker(self) -> bool:
        return "worker" in self.__dict__

    @cached_property
    def kube(self) -> Kube:
        """The API server, once the cluster exists."""
        return Kube(self.provisioner.kubeconfig())

    @cached_property
    def git_server(self) -> GitServer:
        return open_git_server(self.provisioner.runtime)

    @cached_property
    def controllers(self) -> Controllers:
        return open_controllers(self.provisioner.runtime)

    def close(self) -> None:
        """End the processes of this run."""
        if self.has_worker:
            self.worker.close()
