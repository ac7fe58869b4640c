"""Runs other programs. Pass secrets through `env` or `input`, never through `argv`, which process lists show."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devloop.errors import DevloopError, Interrupted, ToolError
from devloop.hint import command

POLL, END = 0.05, 2.0  # seconds between two looks at a program, and that it gets to end


@dataclass(frozen=True)
class Completed:
    """The result of a program; the repr omits its output, which may contain secrets."""

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
    input: bytes | None = None,  # noqa: A002 (subprocess' name)
    timeout: float | None = None,
    check: bool = True,
) -> Completed:
    """Run a program; with `check`, a status other than 0 raises ToolError with the last lines of its output."""
    words = [str(part) for part in argv]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, timeout=timeout, capture_output=True, check=False, input=input or b"")
    except OSError as error:
        if cwd and not cwd.is_dir():
            raise DevloopError(f"there is no folder {cwd}", hint=command("mkdir -p", cwd)) from None
        raise DevloopError(f"cannot run {words[0]}: {error.strerror}", hint=f"install {Path(words[0]).name}") from None
    except subprocess.TimeoutExpired:
        message = f"`{' '.join(words)}` gave no answer within {timeout:.0f} s"
        raise DevloopError(message, hint="run it by hand to see what it waits for") from None
    if check and done.returncode:
        raise ToolError(words, done.returncode, (done.stderr or done.stdout).decode(errors="replace"))
    return Completed(done.returncode, done.stdout, done.stderr)


def run_until(argv: Sequence[str], stop: threading.Event, *, cwd: Path, timeout: float) -> Completed:
    """Run a program with all that it starts; ends them after `timeout` seconds, or when `stop` is set.

    Raises ToolError for a status other than 0, DevloopError if the program does not exist or does not end, Interrupted.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = spawn(argv, cwd=cwd, stdout=output, stderr=STDOUT, new_session=True)
        except OSError as error:
            raise DevloopError(f"cannot run {argv[0]}: {error.strerror}", hint=f"install {Path(argv[0]).name}") from None
        deadline = time.monotonic() + timeout
        while process.poll() is None:
            if stop.wait(POLL) or time.monotonic() > deadline:
                _end_group(process)
        output.seek(0)
        text = output.read()
    if stop.is_set():
        raise Interrupted(f"`{' '.join(argv)}` was stopped")
    if time.monotonic() > deadline:
        raise DevloopError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s")
    if process.returncode:
        raise ToolError(argv, process.returncode, text.decode(errors="replace"))
    return Completed(0, text, b"")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END)


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
    """Start a program in the background; `new_session` detaches it from our terminal."""
    command = [str(part) for part in argv]
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=new_session)


def die_with_parent() -> None:
    """Call in a new process: Linux ends it together with the thread that started it (prctl(2)); other systems let it finish."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def exists(pid: int) -> bool:
    """Whether there is such a process, of any user."""
    import psutil

    return psutil.pid_exists(pid)


def running_programs() -> frozenset[Path]:
    """The programs of all processes that this user may look at."""
    import psutil

    return frozenset(Path(found) for process in psutil.process_iter(["exe"]) if (found := process.info["exe"]))


PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT
DEVNULL = subprocess.DEVNULL
Process = subprocess.Popen
