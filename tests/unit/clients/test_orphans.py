"""Processes without a supervisor are killed, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.clients import orphans
from devloop.clients.orphans import kill_orphans
from devloop.errors import DevloopError
from devloop.runtime.components import MARKER


def test_without_orphans_nothing_is_killed(tmp_path: Path) -> None:
    assert kill_orphans(MARKER, str(tmp_path)) == 0


def test_killing_orphans_waits_for_exiting_processes_that_still_hold_ports(tmp_path: Path) -> None:
    code = """
import socket, time
held = socket.create_server(("127.0.0.1", 0))
memory = bytearray(b"x") * (256 << 20)  # which the kernel takes some time to give back, before it closes the port
print(held.getsockname()[1], flush=True)
time.sleep(60)
"""
    env = {**os.environ, MARKER: str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        holder.kill()
        kill_orphans(MARKER, str(tmp_path))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_orphans_that_do_not_end_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "_wait", lambda handle: bool(os.close(handle)))
    code = "print(flush=True); input()"
    env = {**os.environ, MARKER: str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(DevloopError, match=r"1 process with .* did not end after SIGKILL"):
            kill_orphans(MARKER, str(tmp_path))


def test_killing_orphans_spares_the_caller(tmp_path: Path) -> None:
    code = f"from devloop.clients.orphans import kill_orphans; print(kill_orphans({MARKER!r}, {str(tmp_path)!r}))"
    env = {**os.environ, MARKER: str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout == "0\n"
