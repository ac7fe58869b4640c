"""Work in daemon threads, which never keep the process from exiting."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from devloop.errors import DevloopError, Interrupted

T = TypeVar("T")

LONGEST = 3600.0  # seconds, for work that reports its own progress
POLL_INTERVAL = 0.2  # seconds between two checks for an interrupt


class TooLate(DevloopError):
    """Work did not end in time."""


def in_background(work: Callable[[], T], name: str) -> Future[T]:
    """Start `work` at once; the future gets its result or exception. The process may exit before it ends."""
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (raised again by the future)
            future.set_exception(error)

    threading.Thread(target=do, name=name, daemon=True).start()
    return future


def unless_stopped(work: Callable[[], T], name: str, stop: threading.Event, patience: float = LONGEST) -> T:
    """The result of `work`; raises Interrupted soon after `stop` is set, TooLate after `patience` seconds, even if `work` ignores both."""
    if not stop.is_set():
        future, deadline = in_background(work, name), time.monotonic() + patience
        while not stop.is_set():
            if wait([future], POLL_INTERVAL).done:
                return future.result()
            if time.monotonic() > deadline:
                raise TooLate(
                    f"{name} did not come within {patience:.0f} s", hint="run the command again; devloop doctor checks the machine"
                )
    raise Interrupted(f"interrupted while waiting for {name}")
