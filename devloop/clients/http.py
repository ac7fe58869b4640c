"""HTTP: the status of an answer, and downloads."""

import contextlib
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from devloop.clients.background import unless_stopped

NOT_FOUND = HTTPStatus.NOT_FOUND

CHUNK = 1 << 20


class DownloadFailed(Exception):
    """The download failed or is incomplete."""


def status(
    host: str, port: int, path: str, *, timeout: float, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> int | None:
    """The status of a GET request; None without an answer within `timeout` seconds."""
    secure = HTTPSConnection(host, port, timeout=timeout, context=tls) if tls else None
    with contextlib.closing(secure or HTTPConnection(host, port, timeout=timeout)) as connection:
        try:
            connection.request("GET", path, headers=headers or {})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None


def client_context(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Trusts only `authority` and presents `certificate`."""
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(certificate, key)
    return context


def download(url: str, target: Path, on_fraction: Callable[[float | None, float | None], None], stop: threading.Event) -> str:
    """Download `url` to `target` and return its SHA-256. Raises DownloadFailed, or Interrupted once `stop` is set."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for chunk in _chunks(url, on_fraction, stop):
            file.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(url: str, on_fraction: Callable[[float | None, float | None], None], stop: threading.Event) -> Iterator[bytes]:
    from urllib.request import urlopen

    try:
        with unless_stopped(lambda: urlopen(url, timeout=30), url, stop) as answer:
            size, received = int(answer.headers.get("Content-Length") or 0), 0
            while chunk := unless_stopped(lambda: answer.read(CHUNK), url, stop):
                received += len(chunk)
                on_fraction(received / size if size else None, None)
                yield chunk
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadFailed(str(error)) from None
    if size and received != size:
        raise DownloadFailed(f"received {received} of {size} bytes")
