"""Work beside everything else, in a thread that nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from devloop.errors import Interrupted

T = TypeVar("T")

LOOK = 0.2  # seconds between two looks whether the run was interrupted


def in_background(work: Callable[[], T], name: str) -> Future[T]:
    """Begin `work` at once; the future has its result, or whatever it raised. The process may end before it does."""
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
            future.set_exception(error)

    threading.Thread(target=do, name=name, daemon=True).start()
    return future


def unless_stopped(work: Callable[[], T], name: str, stop: threading.Event) -> T:
    """The result of `work`; Interrupted soon after `stop` is set, even where `work` itself does not notice."""
    if not stop.is_set():
        future = in_background(work, name)
        while not stop.is_set():
            if wait([future], LOOK).done:
                return future.result()
    raise Interrupted(f"interrupted while waiting for {name}")
