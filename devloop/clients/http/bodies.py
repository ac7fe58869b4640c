"""The body of an answer, as it is sent: bounded in size and time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from devloop.clients.http.connections import Connections, host_of
from devloop.clients.http.failures import DownloadFailed, Reason, from_error
from devloop.clients.http.limits import LIMITS, Limits, Patience
from devloop.clients.http.retries import retried
from devloop.errors import Interrupted

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_CHUNK = 1 << 20

# Bytes of a document: registries limit a manifest to this as well.
_DOCUMENT = 4 << 20


def chunks(answer: BaseHTTPResponse, host: str, patience: Patience, stop: threading.Event) -> Iterator[bytes]:
    """What arrives, as soon as it does. Raises DownloadFailed, or Interrupted once `stop` is set."""
    from urllib3.exceptions import HTTPError

    while True:
        try:
            chunk = answer.read1(_CHUNK, decode_content=False)
        except HTTPError as error:
            raise from_error(host, error) from None
        if not chunk:
            return
        if stop.is_set() or patience.given_up:
            raise Interrupted(f"interrupted while waiting for {host}")
        patience.count(len(chunk))
        yield chunk


def fetch(
    url: str,
    stop: threading.Event,
    *,
    headers: Mapping[str, str] | None = None,
    largest: int = _DOCUMENT,
    connections: Connections | None = None,
    limits: Limits = LIMITS,
) -> bytes:
    """A document of at most `largest` bytes. Raises DownloadFailed, or Interrupted once `stop` is set."""
    host, patience = host_of(url), Patience(limits)

    def attempt() -> bytes:
        content = bytearray()
        with opened.get(url, headers or {}) as answer:
            for chunk in chunks(answer, host, patience, stop):
                content += chunk
                if len(content) > largest:
                    raise DownloadFailed(Reason.TOO_LARGE, f"{host} sends more than {largest} bytes")
        return bytes(content)

    with Connections(limits) as own:
        opened = connections or own
        return retried(attempt, host, patience, stop)
