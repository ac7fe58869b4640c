"""The event stream of a run, from any thread; its failure is an error of the run and ends only the stream."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from devloop.errors import ExitCode
from devloop.model.report import Event, Report
from devloop.output.events import EventStream


class EventLog:
    """`on_failure` is called once, with the error of the first line that could not be written."""

    def __init__(self, on_failure: Callable[[OSError], None]) -> None:
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._stream: EventStream | None = None
        self.failure = ExitCode.OK

    def open(self, start: Callable[[], EventStream]) -> None:
        """`start` writes the first line."""
        with self._guarded():
            self._stream = start()

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def take(self, event: Event) -> None:
        with self._guarded():
            if self._stream:
                self._stream.take(event)

    def end(self, report: Report) -> None:
        """Writes the result, and nothing after it."""
        with self._guarded():
            if self._stream:
                self._stream.end(report)
            self._stream = None

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """One thread at a time, so that one of them meets the failure."""
        with self._lock:
            try:
                yield
            except OSError as error:
                self._stream, self.failure = None, ExitCode.UNHEALTHY
                self._on_failure(error)
