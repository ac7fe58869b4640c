"""A Git server with a repository."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.wait import until
from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY

PASSWORDS = {PUSHER: "push-Zq3", PULLER: "pull-Zq7"}


@dataclass(frozen=True)
class Served:
    """A running server; `work` is a client's repository with one commit pushed."""

    folder: Path
    port: int
    pid: int
    work: Path

    def url(self, user: str = "", password: str = "") -> str:
        login = f"{user}:{password or PASSWORDS[user]}@" if user else ""
        return f"http://{login}127.0.0.1:{self.port}/{REPOSITORY}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self, method: str, path: str, user: str = "", body: bytes | Iterator[bytes] | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        login = {"Authorization": "Basic " + b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()} if user else {}
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in (login | headers).items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


def git(*argv: str | Path, cwd: Path | None = None, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """The user's own configuration and credential stores are not asked."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # Packing random bytes takes seconds and gains nothing.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.compression",
        "GIT_CONFIG_VALUE_0": "0",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    done = subprocess.run(["git", *map(str, argv)], cwd=cwd, env=clean | env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def commit(work: Path, name: str, content: bytes) -> str:
    (work / name).write_bytes(content)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "-m", name, cwd=work)
    return git("rev-parse", "HEAD", cwd=work).stdout.strip()


def wait_until_open(port: int, child: subprocess.Popen[bytes]) -> None:
    def is_decided() -> bool:
        if child.poll() is not None:
            return True
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        return False

    until(is_decided, "the Git server", patience=60, stop=threading.Event(), hint="", pause=0.02)
    assert child.poll() is None, "the server ended"


@contextlib.contextmanager
def run_server(folder: Path, port: int, log: Path) -> Iterator[int]:
    """The server's process."""
    argv = [sys.executable, "-m", "devloop.gitserver.process", str(folder), str(port)]
    with log.open("wb") as stream:
        child = subprocess.Popen(argv, stdout=stream, stderr=stream)
    try:
        wait_until_open(port, child)
        yield child.pid
    finally:
        child.kill()
        child.wait()


def head(served: Served) -> str:
    return git("rev-parse", "main", cwd=served.folder / "git" / REPOSITORY).stdout.strip()
