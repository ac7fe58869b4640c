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
    """The connections of one run, opened on first use. `stop` is set when the run must end (Ctrl-C); every wait checks it.

    `origin` is the session of the process, if a process has several runs: it keeps what they share.
    """

    environment: Environment
    provisioner: Provisioner
    toolchain: Toolchain
    emit: Emit
    key_file: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    origin: Session | None = None

    @cached_property
    def identities(self) -> Identities:
        from devloop.repository.age_keys import identities

        return identities(self.environment, self.key_file)

    @cached_property
    def worker(self) -> Worker:
        """The build worker, once it is installed; for a following run, with keys and files as they are now."""
        if self.origin is None:
            return self._start_worker(self)
        if self.origin.has_worker:
            self.origin.worker.reopen(lambda: self.identities.text)
        else:
            self.origin.__dict__["worker"] = self._start_worker(self)
        return self.origin.worker

    @staticmethod
    def _start_worker(session: Session) -> Worker:
        return Worker(
            session.toolchain.path("worker"),
            session.environment.root,
            lambda: session.identities.text,
            store=renderings_folder(),
            ignored=ignored_paths,
            absent=absent_paths,
        )

    @property
    def has_worker(self) -> bool:
        return "worker" in self.__dict__

    @cached_property
    def kube(self) -> Kube:
        """The API server, once the cluster exists."""
        return self.origin.kube if self.origin else Kube(self.provisioner.kubeconfig())

    @cached_property
    def git_server(self) -> GitServer:
        return open_git_server(self.provisioner.runtime)

    @cached_property
    def controllers(self) -> Controllers:
        return open_controllers(self.provisioner.runtime)

    def again(self, emit: Emit) -> Session:
        """For the next run of this process: another `stop`, the same connections and worker."""
        return replace(self, emit=emit, stop=threading.Event(), origin=self)

    def reconnect(self) -> None:
        """Read the address and certificates of the API server again."""
        self.__dict__.pop("kube", None)

    def close(self) -> None:
        """End the processes of this run."""
        if self.has_worker:
            self.worker.close()
