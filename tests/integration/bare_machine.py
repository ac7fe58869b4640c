"""A machine with nothing but Python: a mount and a network namespace of this one, without Go, whose only network is what runs in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .conftest import Run
from .published import patched_lock

_SETUP = """
set -e
ip link set lo up
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/docker" /etc/docker
[ -z "$2" ] || mount --bind "$1/empty" "$2"
echo ready
exec sleep infinity
"""


@dataclass(frozen=True)
class Machine:
    """`target` is a process in its namespaces; users start commands in `home`."""

    home: Path
    target: int

    @property
    def enter(self) -> tuple[str, ...]:
        return ("nsenter", "--target", str(self.target), "--mount", "--net", f"--wd={self.home}", "--")

    @property
    def env(self) -> dict[str, str]:
        """As after a login, with an engine that `home` may hold."""
        path = f"{self.home}/venv/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        socket = f"unix://{self.home}/engine/docker.sock"
        return {"HOME": str(self.home), "PATH": path, "DOCKER_HOST": socket, "SSL_CERT_FILE": str(self.home / "ca.crt"), "LANG": "C.UTF-8"}

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Run:
        done = subprocess.run(
            [*self.enter, *argv], env=self.env | dict(env or {}), cwd=self.home, capture_output=True, text=True, timeout=600, check=False
        )
        return Run(done.returncode, done.stdout, done.stderr)


@contextmanager
def namespaces(home: Path, hosts: Sequence[str]) -> Iterator[int]:
    """The process that holds them; `hosts` are names of the machine itself."""
    (home / "hosts").write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n")
    (home / "docker").mkdir()
    (home / "empty").mkdir()
    if Path("/etc/docker/daemon.json").exists():
        shutil.copy("/etc/docker/daemon.json", home / "docker")
    go = shutil.which("go")
    hidden = str(Path(go).resolve().parent) if go else ""
    argv = ["unshare", "--mount", "--net", "bash", "-c", _SETUP, "bash", str(home), hidden]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == "ready\n"
            yield running.pid
        finally:
            running.kill()


@contextmanager
def service(machine: Machine, name: str, argv: Sequence[str | Path]) -> Iterator[None]:
    """A program of the machine until the end of the block."""
    with (machine.home / f"{name}.log").open("w") as log:
        running = subprocess.Popen([*machine.enter, *argv], env=machine.env, stdout=log, stderr=log)
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=60)


def install_wheel(home: Path, index: Path) -> None:
    """devloop into a new virtual environment, from a folder of wheels."""
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    install = [home / "venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "--find-links", index, "devloop"]
    subprocess.run(install, check=True, timeout=300)


def patch_lock(home: Path, releases: str, digests: Mapping[str, str]) -> None:
    """The installed lock names the stand-ins, see published.py."""
    (lock,) = (home / "venv/lib").glob("python*/site-packages/devloop/toolchain/lock.toml")
    lock.write_text(patched_lock(lock.read_text(), releases, digests))
