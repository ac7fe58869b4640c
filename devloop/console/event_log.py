"""The event stream of a run, from any thread; its failure is an error of the run and ends only the stream."""

from __future__ import annotations

import threading
from collections.abc import Callable

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
        self._try(lambda: setattr(self, "_stream", start()))

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def take(self, event: Event) -> None:
        if stream := self._stream:
            self._try(lambda: stream.take(event))

    def end(self, report: Report) -> None:
        """Writes the result, and nothing after it."""
        if stream := self._stream:
            self._try(lambda: stream.end(report))
            self._stream = None

    def _try(self, write: Callable[[], None]) -> None:
        with self._lock:
            try:
                write()
            except OSError as error:
                self._stream, self.failure = None, ExitCode.UNHEALTHY
                self._on_failure(error)
