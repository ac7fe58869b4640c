"""Regular output without a terminal: a log shows whether a run still waits, and for what."""

import threading
import time
from collections.abc import Callable

INTERVAL = 10.0  # seconds of silence; the promise is a line at least every 15


class Heartbeat:
    """Calls `show`, from its own thread, after every INTERVAL without a `note`."""

    def __init__(self, show: Callable[[], None]) -> None:
        self._show = show
        self._end = threading.Event()
        self._noted_at = time.monotonic()

    def note(self) -> None:
        """There was output."""
        self._noted_at = time.monotonic()

    def start(self) -> None:
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        self._end.set()

    def _beat(self) -> None:
        while not self._end.wait(max(0.0, self._noted_at + INTERVAL - time.monotonic())):
            if time.monotonic() >= self._noted_at + INTERVAL:
                self.note()
                self._show()
