"""Connections to servers, through the proxies and with the certificates that this machine is configured for."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from devloop.clients.http.failures import DownloadFailed, Reason, from_answer, from_error
from devloop.clients.http.limits import LIMITS, Limits

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

# As Requests, curl and OpenSSL name them; ssl.create_default_context() itself reads SSL_CERT_FILE and SSL_CERT_DIR.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

_AGENT = {"User-Agent": "devloop"}


class Connections:
    """Kept open between requests, until the end of the `with` block."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._managers: dict[tuple[str, str], PoolManager] = {}

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for manager in self._managers.values():
            manager.clear()

    @contextlib.contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
        """The answer to a GET request after redirects, with a status of 2xx and its body still to read. Raises DownloadFailed."""
        sent: Mapping[str, str] = {**_AGENT, **headers}
        for _ in range(self._limits.redirects + 1):
            _check(url)
            with contextlib.closing(self._send(url, sent)) as answer:
                location = answer.get_redirect_location()
                if not location:
                    yield _accepted(url, answer)
                    return
            url, sent = _redirected(url, location, sent)
        raise DownloadFailed(Reason.TOO_MANY_REDIRECTS, f"{host_of(url)} redirects more than {self._limits.redirects} times")

    def _send(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        timeout = Timeout(connect=self._limits.connect, read=self._limits.read)
        try:
            manager = self._manager(_proxy_of(url), urlsplit(url).scheme)
            return manager.request("GET", url, headers=headers, timeout=timeout, retries=False, redirect=False, preload_content=False)
        except HTTPError as error:
            raise from_error(host_of(url), error) from None

    def _manager(self, proxy: str, scheme: str) -> PoolManager:
        if (proxy, scheme) not in self._managers:
            self._managers[proxy, scheme] = _new_manager(proxy, scheme)
        return self._managers[proxy, scheme]


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise DownloadFailed(Reason.NOT_FOUND, "the URL is invalid")


def host_of(url: str) -> str:
    """For messages."""
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:
        return "the server"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, which no proxy can reach and which needs no TLS."""
    return bool(_LOOPBACK.fullmatch(host))


def _proxy_of(url: str) -> str:
    """The proxy for `url` from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (macOS: or the system's settings); '' for none."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _new_manager(proxy: str, scheme: str) -> PoolManager:
    from urllib3 import PoolManager, ProxyManager, make_headers

    parts = urlsplit(proxy)
    trust = _trust() if "https" in (scheme, parts.scheme) else None  # takes 40 ms
    if not proxy:
        return PoolManager(ssl_context=trust)
    if parts.scheme not in ("http", "https"):
        raise DownloadFailed(Reason.NO_NETWORK, f"a proxy must have an http or https URL, not {parts.scheme}")
    credentials, _, host = parts.netloc.rpartition("@")
    headers = make_headers(proxy_basic_auth=unquote(credentials)) if credentials else {}
    return ProxyManager(urlunsplit(parts._replace(netloc=host)), proxy_headers=headers, ssl_context=trust, proxy_ssl_context=trust)


def _trust() -> ssl.SSLContext:
    """The certificates of REQUESTS_CA_BUNDLE, else of the system, else (a Python without any) of certifi."""
    bundle = next((value for name in _BUNDLES if (value := os.environ.get(name))), "")
    try:
        if bundle:
            folder = Path(bundle).is_dir()
            return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)
    except OSError as error:  # also ssl.SSLError: no certificate inside
        raise DownloadFailed(Reason.UNTRUSTED, f"cannot read certificates from {bundle}: {error.strerror or error}") from None
    context = ssl.create_default_context()
    known = ssl.get_default_verify_paths()
    if not (known.cafile or known.capath):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _accepted(url: str, answer: BaseHTTPResponse) -> BaseHTTPResponse:
    if not 200 <= answer.status < 300:
        raise from_answer(host_of(url), answer)
    return answer


def _redirected(url: str, location: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The next request. Credentials never go to another server, and nothing goes from https to http."""
    try:
        old, new = urlsplit(url), urlsplit(urljoin(url, location))
    except ValueError:
        raise DownloadFailed(Reason.NOT_FOUND, f"{host_of(url)} redirects to an invalid URL") from None
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
        raise DownloadFailed(Reason.INSECURE_REDIRECT, f"{host_of(url)} redirects from {old.scheme} to {new.scheme}")
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    return urlunsplit(new), headers
