"""One of the two builds: its program, caches and folders, and how to run it."""

from __future__ import annotations

import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from functools import cached_property
from pathlib import Path

# Seconds after which a validator counts as hung.
LIMIT = 300
COLUMNS, LINES = 80, 24
# Programs that `up` needs without a container engine; if they are missing, it builds for minutes first.
WORKER = ("worker", "sops")


class NotReady(Exception):
    """Nothing to compare: wrong usage, or a build that does not run."""


@dataclass(frozen=True)
class Ended:
    """The exit code and the output of a program."""

    code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Build:
    """A checkout and the Python that it is installed for; `cache` is an XDG_CACHE_HOME with its programs, `folder` is only for this run."""

    name: str
    checkout: Path
    python: Path
    cache: Path
    folder: Path

    @property
    def program(self) -> Path:
        return self.python.parent / "devloop"

    @cached_property
    def version(self) -> str:
        """Identifies its code: the commit and the uncommitted changes."""
        parts = [self._git("rev-parse", "HEAD"), self._git("diff", "HEAD"), self._git("status", "--porcelain")]
        return "\n".join((*parts, str(self.python.resolve())))

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The pinned programs that its cache lacks."""
        return tuple(name for name in self._states() if not any((self.cache / "devloop" / "tools" / name).glob("*/entry.json")))

    def _states(self) -> list[str]:
        lines = self.run(["toolchain", "list"], self.folder, {}).stdout.decode().splitlines()
        wanted = {"worker", "sops", "etcd", "kwok"} | {f"kube-{part}" for part in ("apiserver", "controller-manager", "scheduler")}
        wanted |= {"source-controller", "kustomize-controller", "helm-controller"}
        return [name for name in (line.partition(" ")[0] for line in lines) if name in wanted]

    def prepare(self) -> None:
        """Raises NotReady unless the program is that of the checkout and the build worker is installed."""
        where = self._ask(self.python, "-c", "import devloop, os; print(os.path.dirname(devloop.__file__))")
        if not where or Path(where).parent != self.checkout.resolve() or not self.program.exists():
            hint = f"cd {self.checkout} && python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'"
            raise NotReady(f"{self.python} does not run the devloop of {self.checkout}: {hint}")
        env = os.environ | {"XDG_CACHE_HOME": str(self.cache)}
        done = subprocess.run([self.program, "toolchain", "install", *WORKER], env=env, check=False)
        if done.returncode:
            raise NotReady(f"{self.name}: devloop toolchain install {' '.join(WORKER)} failed")
        own = self.folder / "cache" / "devloop"
        own.mkdir(parents=True)
        (self.folder / "home").mkdir()
        (own / "tools").symlink_to(self.cache / "devloop" / "tools")

    def run(self, arguments: Sequence[str], cwd: Path, more: Mapping[str, str], *, terminal: bool = False) -> Ended:
        """Run it with `arguments`; `more` are environment variables, such as a separate XDG_STATE_HOME and XDG_CONFIG_HOME."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            # The same for both, whatever else runs on this machine.
            "DEVLOOP_PROVISIONER": "embedded",
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
            "GIT_CONFIG_NOSYSTEM": "1",
            **more,
        }
        argv = [str(self.program), *arguments]
        return _on_terminal(argv, cwd, env) if terminal else _in_pipes(argv, cwd, env)

    def _git(self, *arguments: str) -> str:
        return self._ask("git", "-C", self.checkout, *arguments)

    def _ask(self, *argv: str | Path) -> str:
        try:
            return subprocess.run(argv, check=False, capture_output=True, text=True, cwd="/").stdout.strip()
        except OSError:
            return ""


def _in_pipes(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Ended:
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired as late:
        return Ended(-1, late.stdout or b"", (late.stderr or b"") + f"\nended by task same after {LIMIT} s\n".encode())
    return Ended(done.returncode, done.stdout, done.stderr)


def _on_terminal(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Ended:
    """Both streams go to the terminal, and are returned as stdout."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said, end = b"", time.monotonic() + LIMIT
    try:
        while time.monotonic() < end and (part := _read(ours)) is not None:
            said += part
    finally:
        os.close(ours)
    if time.monotonic() >= end:
        process.kill()
    return Ended(process.wait(), said, b"")


def _read(terminal: int) -> bytes | None:
    """Its output within a second, None at its end (which Linux reports as an error)."""
    if not select.select([terminal], [], [], 1)[0]:
        return b""
    try:
        return os.read(terminal, 1 << 16) or None
    except OSError:
        return None


def dump(path: Path, content: object) -> None:
    """Atomically."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(content), encoding="utf-8")
    aside.rename(path)
