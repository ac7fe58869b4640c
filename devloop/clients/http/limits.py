"""How long a download may take, and how many attempts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from devloop.clients.http.failures import DownloadFailed, Reason

# Bytes that count as progress: with Limits.stalled, 3 KiB a second at least.
STRIDE = 256 << 10


@dataclass(frozen=True)
class Limits:
    """Times in seconds: for a connection, for each read, without progress across all attempts, and before the second attempt.

    `attempts` are those without progress; with 0 the first failure is the last.
    """

    connect: float = 10.0
    read: float = 30.0
    stalled: float = 90.0
    pause: float = 1.0
    attempts: int = 4
    redirects: int = 5


LIMITS = Limits()


class Patience:
    """What is left of the limits since the last progress, which renews them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.received = 0
        self.given_up = False
        self._renew()

    def _renew(self) -> None:
        self.attempts = 0
        self._end = time.monotonic() + self.limits.stalled

    @property
    def left(self) -> float:
        return self._end - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Later than a read may notice: whatever the server does, it brings no progress."""
        return self.left < -self.limits.read

    def count(self, size: int) -> None:
        """Take note of `size` more bytes; raises DownloadFailed if they come too slowly."""
        before, self.received = self.received, self.received + size
        if before // STRIDE != self.received // STRIDE:
            self._renew()
        elif self.left <= 0:
            raise DownloadFailed(Reason.TIMED_OUT, f"less than {STRIDE >> 10} KiB arrived within {self.limits.stalled:.0f} s")
