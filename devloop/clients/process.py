"""The one door to outside programs. Secrets go in through `env` or `input`, never through `argv`: that shows in every process list."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devloop.errors import DevloopError, ToolError
from devloop.hint import command


@dataclass(frozen=True)
class Completed:
    """How a program ended; its output is kept out of the repr, since it may hold what must not be shown."""

    status: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002 (the name that subprocess gives it)
    timeout: float | None = None,
    check: bool = True,
) -> Completed:
    """Run to the end; with `check`, a status other than 0 raises ToolError with the last lines of its output."""
    words = [str(part) for part in argv]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, timeout=timeout, capture_output=True, check=False, input=input or b"")
    except OSError as error:
        if cwd and not cwd.is_dir():
            raise DevloopError(f"there is no folder {cwd}", hint=command("mkdir -p", cwd)) from None
        raise DevloopError(f"cannot run {words[0]}: {error.strerror}", hint=f"install {Path(words[0]).name}") from None
    except subprocess.TimeoutExpired:
        raise DevloopError(f"`{' '.join(words)}` gave no answer within {timeout:.0f} s") from None
    if check and done.returncode:
        raise ToolError(words, done.returncode, (done.stderr or done.stdout).decode(errors="replace"))
    return Completed(done.returncode, done.stdout, done.stderr)


def spawn(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    new_session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start and return at once; `new_session` cuts it loose from our terminal."""
    command = [str(part) for part in argv]
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=new_session)


def die_with_parent() -> None:
    """To be called in a new process: the kernel ends it when the thread that started it ends, however that happens (man 2 prctl)."""
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT
DEVNULL = subprocess.DEVNULL
Process = subprocess.Popen
