"""Work in daemon threads, which never keep the process from exiting."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from devloop.errors import Interrupted

T = TypeVar("T")

POLL_INTERVAL = 0.2  # seconds between two checks for an interrupt


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


def unless_stopped(work: Callable[[], T], name: str, stop: threading.Event) -> T:
    """The result of `work`; raises Interrupted soon after `stop` is set, even if `work` ignores it."""
    if not stop.is_set():
        future = in_background(work, name)
        while not stop.is_set():
            if wait([future], POLL_INTERVAL).done:
                return future.result()
    raise Interrupted(f"interrupted while waiting for {name}")
