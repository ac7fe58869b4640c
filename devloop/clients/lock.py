"""Advisory file locks, which the kernel releases with the process, so that none can become stale."""

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from devloop.errors import DevloopError, Interrupted
from devloop.hint import command, instructions

SUPERSEDE = 20.0  # seconds for a run that is superseded to end
PATIENCE = 3600.0  # seconds: building Kubernetes on a small machine takes a good part of it


class Busy(DevloopError):
    """Another process holds the lock; `holder` is its id, `role` what it said about itself."""

    def __init__(self, what: str, holder: str, role: str = "") -> None:
        super().__init__(f"another run is busy with {what} (process {holder})", hint="wait until it ends, or stop it with Ctrl-C")
        self.holder = holder
        self.role = role


@contextlib.contextmanager
def exclusive(path: Path, what: str, role: str = "") -> Iterator[None]:
    """Hold the lock file `path` in a role, or raise Busy with the process that does; removes the file afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = _acquire(path, what)
    try:
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()} {role}".strip().encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


@contextlib.contextmanager
def in_turn(path: Path, on_wait: Callable[[str], None], stop: threading.Event, role: str = "") -> Iterator[None]:
    """Wait for the lock file `path` and hold it in `role`; calls `on_wait` once, with the id of its holder, if it has to wait.

    Raises Interrupted soon after `stop`, DevloopError after PATIENCE.
    """
    with contextlib.ExitStack() as stack:
        if holder := _enter(stack, path, role):
            on_wait(holder)
            deadline = time.monotonic() + PATIENCE
            while holder := _enter(stack, path, role):
                if stop.wait(0.2):
                    raise Interrupted("stopped while waiting for another run")
                if time.monotonic() > deadline:
                    message = f"another run (process {holder}) still holds {path} after {PATIENCE / 60:.0f} min"
                    raise DevloopError(message, hint=instructions("wait for it, or end it: ", command("kill", holder)))
        yield


@contextlib.contextmanager
def superseding(path: Path, what: str, stop: threading.Event, role: str, ends: Collection[str]) -> Iterator[None]:
    """Hold the lock file `path` in `role`; SIGUSR1 asks a process that holds it in one of the roles `ends` to let it go.

    Raises Busy at once if another role holds it, or if that process has not done so after SUPERSEDE seconds; Interrupted after `stop`.
    """
    told, deadline = "", time.monotonic() + SUPERSEDE
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(exclusive(path, what, role))
                break
            except Busy as busy:
                is_new = busy.holder == "unknown"  # it has not said yet who it is
                if not (is_new or busy.role in ends) or time.monotonic() > deadline:
                    raise
                if busy.role in ends and busy.holder != told:
                    told = busy.holder
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(told), signal.SIGUSR1)
            if stop.wait(0.02):
                raise Interrupted("stopped while waiting for another run")
        yield


def _enter(stack: contextlib.ExitStack, path: Path, role: str) -> str:
    """'' once the lock is held, else the process that holds it."""
    try:
        stack.enter_context(exclusive(path, path.stem, role))
    except Busy as busy:
        return busy.holder
    return ""


def _acquire(path: Path, what: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder, _, role = os.read(file, 40).decode(errors="replace").partition(" ")
            os.close(file)
            raise Busy(what, holder or "unknown", role) from None
        # The previous holder may have removed the file between open and lock.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file).st_ino:
                return file
        os.close(file)
