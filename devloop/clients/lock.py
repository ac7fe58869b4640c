"""Advisory file locks, which the kernel releases with the process, so that none can become stale."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from devloop.errors import DevloopError, Interrupted


class Busy(DevloopError):
    """Another process holds the lock."""


@contextlib.contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, or raise Busy with the process that does; removes the file afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = _acquire(path, what)
    try:
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


@contextlib.contextmanager
def in_turn(path: Path, on_wait: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    """Wait for the lock file `path` and hold it; calls `on_wait` once if it has to wait. Raises Interrupted soon after `stop`."""
    with contextlib.ExitStack() as stack:
        if not _entered(stack, path):
            on_wait()
            while not _entered(stack, path):
                if stop.wait(0.2):
                    raise Interrupted("stopped while waiting for another run")
        yield


def _entered(stack: contextlib.ExitStack, path: Path) -> bool:
    with contextlib.suppress(Busy):
        stack.enter_context(exclusive(path, path.stem))
        return True
    return False


def _acquire(path: Path, what: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode(errors="replace") or "unknown"
            os.close(file)
            raise Busy(f"another run is busy with {what} (process {holder})", hint="wait until it ends, or stop it with Ctrl-C") from None
        # The previous holder may have removed the file between open and lock.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file).st_ino:
                return file
        os.close(file)
