"""A Git server for the tests of a module."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from devloop.clients.ports import free_ports
from devloop.gitserver.credentials import FILE as CREDENTIALS
from devloop.gitserver.git_server import PUSHER

from .served import PASSWORDS, Served, commit, git, run_server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / CREDENTIALS).write_text(json.dumps(PASSWORDS))
    (port,) = free_ports(1)
    with run_server(folder, port, folder / "log") as pid:
        server = Served(folder, port, pid, folder / "work")
        git("init", "--quiet", "--initial-branch=main", server.work)
        commit(server.work, "first.txt", b"first\n")
        git("push", "--quiet", server.url(PUSHER), "main", cwd=server.work)
        yield server
