"""The Git server as a host process on loopback: `python -m devloop.gitserver.process FOLDER PORT`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients.ports import LOOPBACK
from devloop.gitserver.credentials import GitEndpoint, endpoint, passwords
from devloop.gitserver.git_server import REPOSITORY, serve
from devloop.runtime.components import Component, ComponentContext, Program, environment_for
from devloop.runtime.layout import Layout

if TYPE_CHECKING:
    from devloop.model.report import Emit
    from devloop.runtime.processes import ProcessRuntime

NAME = "git-server"


@dataclass(frozen=True)
class ProcessGitServer:
    """A `GitServer` run by the environment's supervisor."""

    runtime: ProcessRuntime

    def ensure(self, emit: Emit) -> bool:
        self.runtime.ensure_supervisor(emit)
        passwords(self.runtime.layout.folder)
        return self.runtime.run({NAME: Program(command, probe="/")})

    def endpoint(self) -> GitEndpoint:
        url = f"http://{self.runtime.context.address(NAME)}/{REPOSITORY}"
        return endpoint(self.runtime.layout.folder, url, url)


def command(context: ComponentContext) -> Component:
    return Component(NAME, (sys.executable, "-m", "devloop.gitserver.process", str(context.layout.folder), str(context.ports[NAME])))


def main(folder: Path, port: int) -> None:
    serve((LOOPBACK, port), folder / "git", passwords(folder), environment_for(Layout(folder), os.environ))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
