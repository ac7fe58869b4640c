"""HTTP: the status of an answer, small documents, and downloads. Imports nothing heavy."""

import contextlib
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from devloop.clients.http.bodies import fetch as fetch
from devloop.clients.http.connections import Connections as Connections
from devloop.clients.http.connections import host_of as host_of
from devloop.clients.http.downloads import download as download
from devloop.clients.http.failures import DownloadFailed as DownloadFailed
from devloop.clients.http.failures import Reason as Reason
from devloop.clients.http.limits import LIMITS as LIMITS
from devloop.clients.http.limits import Limits as Limits

NOT_FOUND = HTTPStatus.NOT_FOUND


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
