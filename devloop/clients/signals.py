"""Handlers for Ctrl-C and SIGTERM, for the main thread."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def handle_signals(handler: Callable[..., object], *numbers: signal.Signals) -> Iterator[None]:
    """Install `handler` for `numbers` (by default SIGINT and SIGTERM), and the previous handlers again afterwards."""
    numbers = numbers or (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Deliver signals after the context; does nothing in other threads, which get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred: list[int] = []
    try:
        with handle_signals(lambda number, _: deferred.append(number)):
            yield
    finally:
        for number in deferred:
            signal.raise_signal(number)
