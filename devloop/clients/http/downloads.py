"""Downloads to files, which continue where they were cut off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients.http.bodies import chunks
from devloop.clients.http.connections import Connections, host_of
from devloop.clients.http.failures import DownloadFailed, Reason
from devloop.clients.http.limits import LIMITS, Limits, Patience
from devloop.clients.http.partial_files import PartialFile, total_size
from devloop.clients.http.retries import retried

# Takes the fraction that is done, and the seconds expected in total; None if unknown.
OnFraction = Callable[[float | None, float | None], None]

# Bytes of a program or of an image's layer: the largest that we pin have 100 MB.
LARGEST = 1 << 30


def download(
    url: str,
    target: Path,
    on_fraction: OnFraction,
    stop: threading.Event,
    *,
    sha256: str = "",
    headers: Mapping[str, str] | None = None,
    partials: Path | None = None,
    connections: Connections | None = None,
    limits: Limits = LIMITS,
) -> str:
    """Download `url` to `target` and return its SHA-256, which must be `sha256` if that is given.

    What a failed or interrupted download received stays in the folder `partials` (by default that of `target`) for the next one; only one
    at a time may download the same URL there. Raises DownloadFailed, OSError if the disk is full, or Interrupted once `stop` is set.
    """
    partial = PartialFile.of(url, partials or target.parent)
    with Connections(limits) as own:
        transfer = _Transfer(url, partial, on_fraction, stop, connections or own, limits, headers or {})
        digest = transfer.run(sha256)
    partial.finish(target)
    return digest


@dataclass(frozen=True)
class _Transfer:
    url: str
    partial: PartialFile
    on_fraction: OnFraction
    stop: threading.Event
    connections: Connections
    limits: Limits
    headers: Mapping[str, str] = field(repr=False)

    def run(self, sha256: str) -> str:
        """Until the file is complete; once more from the start if the rest does not fit what an earlier run left."""
        resumed = self.partial.size > 0
        digest = self._complete()
        if sha256 and digest != sha256:
            self.partial.discard()
            if resumed:
                return self.run(sha256)
            raise DownloadFailed(Reason.WRONG_DIGEST, f"{host_of(self.url)} sends another file: its SHA-256 is {digest}, expected {sha256}")
        return digest

    def _complete(self) -> str:
        patience = Patience(self.limits)
        retried(lambda: self._attempt(patience), host_of(self.url), patience, self.stop)
        return self.partial.digest()

    def _attempt(self, patience: Patience) -> None:
        try:
            with self.connections.get(self.url, {**self.headers, **self.partial.request_headers()}) as answer:
                size = _bounded(self.url, total_size(answer.status, answer.headers))
                with self.partial.open(answer.status, answer.headers) as file:
                    for chunk in chunks(answer, host_of(self.url), patience, self.stop):
                        file.write(chunk)
                        _bounded(self.url, file.tell())
                        self.on_fraction(file.tell() / size if size else None, None)
        except DownloadFailed as error:
            if error.status == 416:  # nothing is left to send: what we have is of another version
                self.partial.discard()
            raise


def _bounded(url: str, size: int | None) -> int | None:
    if size and size > LARGEST:
        raise DownloadFailed(Reason.TOO_LARGE, f"{host_of(url)} sends more than {LARGEST >> 20} MiB")
    return size
