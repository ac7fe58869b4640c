"""Single keys of a terminal, read without Enter while a live view is shown."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator

POLL = 0.2  # seconds between two checks for the end


@contextlib.contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Calls `on_key`, from its own thread, with each key; does nothing where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor, done = sys.stdin.fileno(), threading.Event()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    thread = threading.Thread(target=_read, args=(descriptor, on_key, done), name="keys", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int, on_key: Callable[[str], None], done: threading.Event) -> None:
    while not done.is_set():
        ready, _, _ = select.select([descriptor], [], [], POLL)
        if not ready:
            continue
        read = os.read(descriptor, 32)
        if not read:
            return
        for key in read.decode(errors="ignore"):
            on_key(key)
