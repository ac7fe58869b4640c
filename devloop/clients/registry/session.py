"""Requests to one repository of a registry, with the token that it gives to anyone (https://distribution.github.io/distribution/spec/auth/token)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from devloop.clients.http.bodies import fetch
from devloop.clients.http.connections import Connections, host_of, is_loopback
from devloop.clients.http.downloads import OnFraction, download
from devloop.clients.http.failures import DownloadFailed, Reason
from devloop.clients.http.limits import Limits
from devloop.clients.registry.mirrors import Repository

T = TypeVar("T")

# Indexes first: a tag may have both.
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Session:
    """Ends with the `with` block."""

    def __init__(self, repository: Repository, stop: threading.Event, limits: Limits) -> None:
        self._repository = repository
        self._stop = stop
        self._limits = limits
        self._connections = Connections(limits)
        self._credentials: dict[str, str] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._connections.close()

    def manifest(self, reference: str) -> bytes:
        """Of a tag or a digest, as the registry sends it."""
        return self._authorized(lambda: self._fetch(f"{self._repository.url}/manifests/{reference}", {"Accept": _MANIFESTS}))

    def download(self, digest: str, target: Path, on_fraction: OnFraction, partials: Path) -> None:
        """A blob, checked against its digest."""
        url, sha256 = f"{self._repository.url}/blobs/{digest}", digest.partition(":")[2]
        self._authorized(
            lambda: download(
                url,
                target,
                on_fraction,
                self._stop,
                sha256=sha256,
                headers=self._credentials,
                partials=partials,
                connections=self._connections,
                limits=self._limits,
            )
        )

    def _authorized(self, request: Callable[[], T]) -> T:
        """Once more with a new token if the registry asks for one."""
        try:
            return request()
        except DownloadFailed as error:
            parameters = _bearer(error.challenge)
            if error.status != 401 or "realm" not in parameters:
                raise
            self._credentials = {"Authorization": f"Bearer {self._token(parameters)}"}
        return request()

    def _token(self, parameters: dict[str, str]) -> str:
        query = {key: value for key, value in parameters.items() if key in ("service", "scope")}
        url = f"{parameters['realm']}?{urlencode(query)}"
        host = host_of(url)
        if urlsplit(url).scheme != "https" and not is_loopback(host):
            raise DownloadFailed(Reason.DENIED, f"{self._repository.host} offers tokens without TLS")
        try:
            content = json.loads(fetch(url, self._stop, connections=self._connections, limits=self._limits))
            return str(content.get("token") or content["access_token"])
        except (ValueError, KeyError, AttributeError):
            raise DownloadFailed(Reason.DENIED, f"{host} sends no token") from None

    def _fetch(self, url: str, headers: dict[str, str]) -> bytes:
        return fetch(url, self._stop, headers={**headers, **self._credentials}, connections=self._connections, limits=self._limits)


def _bearer(challenge: str) -> dict[str, str]:
    """The parameters of a WWW-Authenticate header's Bearer challenge; none without one."""
    from urllib.request import parse_http_list, parse_keqv_list

    found = re.search(r"(?i)\bbearer\s+(.*)", challenge)
    pairs = [part for part in parse_http_list(found[1]) if "=" in part] if found else []
    return parse_keqv_list(pairs)
