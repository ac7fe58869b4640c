"""Ctrl-C and SIGTERM: who takes them, and where they must not come in between. For the main thread."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def handle_signals(handler: Callable[..., object]) -> Iterator[None]:
    """`handler` gets them; afterwards whoever had them before does again."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """What comes within, comes after it; other threads than the main one are never disturbed anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    try:
        with handle_signals(lambda number, _: came.append(number)):
            yield
    finally:
        for late in came:
            signal.raise_signal(late)
