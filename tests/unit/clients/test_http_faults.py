"""Every way in which a server can fail a download, told apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from devloop.clients import http
from devloop.clients.http import DownloadFailed, Limits, Reason
from devloop.clients.ports import free_ports

from .servers import Answer, own_authority, proxy, send, serving

CONTENT = b"a program" * 1000
LIMITS = Limits(pause=0.01)

# For servers that hang.
HASTY = Limits(read=0.2, stalled=1, pause=0.01)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own network."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def failure(url: str, folder: Path, limits: Limits = LIMITS) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as failed:
        http.download(url, folder / "it", lambda *_: None, threading.Event(), limits=limits)
    assert "\n" not in failed.value.message
    return failed.value


@pytest.mark.parametrize(
    ("status", "reason", "message", "attempts"),
    [
        (400, Reason.DENIED, "127.0.0.1 answers 400 Bad Request", 1),
        (401, Reason.DENIED, "127.0.0.1 answers 401 Unauthorized", 1),
        (403, Reason.DENIED, "127.0.0.1 answers 403 Forbidden", 1),
        (404, Reason.NOT_FOUND, "127.0.0.1 answers 404 Not Found", 1),
        (429, Reason.RATE_LIMITED, "127.0.0.1 answers 429 Too Many Requests", 4),
        (500, Reason.SERVER_ERROR, "127.0.0.1 answers 500 Internal Server Error", 4),
        (503, Reason.SERVER_ERROR, "127.0.0.1 answers 503 Service Unavailable", 4),
    ],
)
def test_a_status(tmp_path: Path, status: int, reason: Reason, message: str, attempts: int) -> None:
    with serving(lambda handler: send(handler, status, b"a page")) as server:
        failed = failure(f"{server.url}/secret/path?token=1", tmp_path)
    assert (failed.reason, failed.message, failed.status) == (reason, message, status)
    assert len(server.requests) == attempts


def first(*answers: Answer) -> Answer:
    """Each of the answers once, the last again and again."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def good(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, CONTENT)


@pytest.mark.parametrize("later", ["0", "1", lambda: formatdate(time.time() + 1.5, usegmt=True)], ids=["at once", "seconds", "date"])
def test_a_rate_limit_is_waited_for(tmp_path: Path, later: str | Callable[[], str]) -> None:
    asked = later if isinstance(later, str) else later()
    begin = time.monotonic()
    with serving(first(lambda handler: send(handler, 429, Retry_After=asked), good)) as server:
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert (time.monotonic() - begin >= 0.4) == (asked != "0")


def test_a_rate_limit_that_takes_too_long(tmp_path: Path) -> None:
    with serving(lambda handler: send(handler, 429, Retry_After="3600")) as server:
        failed = failure(server.url, tmp_path)
    assert failed.reason is Reason.RATE_LIMITED
    assert failed.message == "127.0.0.1 answers 429 Too Many Requests, try again in 3600 s"
    assert len(server.requests) == 1


def test_a_retry_after_that_means_nothing(tmp_path: Path) -> None:
    with serving(first(lambda handler: send(handler, 503, Retry_After="soon"), good)) as server:
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)


def test_an_error_that_passes(tmp_path: Path) -> None:
    bad: Answer = lambda handler: send(handler, 502)  # noqa: E731
    with serving(first(bad, bad, good)) as server:
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert len(server.requests) == 3


# --- time


def test_a_server_that_hangs(tmp_path: Path) -> None:
    begin = time.monotonic()
    with serving(lambda _: threading.Event().wait(3) and None) as server:
        failed = failure(server.url, tmp_path, HASTY)
    assert (failed.reason, failed.message) == (Reason.TIMED_OUT, "127.0.0.1 does not answer")
    assert 0.2 < time.monotonic() - begin < 10


def test_a_server_that_hangs_after_a_while(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
        threading.Event().wait(3)

    with serving(answer) as server:
        assert failure(server.url, tmp_path, HASTY).reason is Reason.TIMED_OUT


def test_a_server_that_sends_a_byte_now_and_then(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    begin = time.monotonic()
    with serving(answer) as server:
        failed = failure(server.url, tmp_path, HASTY)
    assert (failed.reason, failed.message) == (Reason.TIMED_OUT, "less than 256 KiB arrived within 1 s")
    assert time.monotonic() - begin < 10


def test_a_server_that_never_gets_to_the_body(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    begin = time.monotonic()
    with serving(answer) as server:
        failed = failure(server.url, tmp_path, HASTY)
    assert (failed.reason, failed.message) == (Reason.TIMED_OUT, "127.0.0.1 does not answer")
    assert time.monotonic() - begin < 10


def test_a_server_that_ends_the_connection(tmp_path: Path) -> None:
    with serving(lambda handler: setattr(handler, "close_connection", True)) as server:
        failed = failure(server.url, tmp_path)
    assert (failed.reason, failed.message) == (Reason.CUT_OFF, "127.0.0.1 ended the connection early")


def test_an_answer_that_is_no_http(tmp_path: Path) -> None:
    with serving(lambda handler: handler.wfile.write(b"hello\r\n\r\n") and None) as server:
        assert failure(server.url, tmp_path).reason is Reason.CUT_OFF


# --- no network


def test_nobody_listens(tmp_path: Path) -> None:
    [port] = free_ports(1)
    failed = failure(f"http://127.0.0.1:{port}/", tmp_path)
    assert (failed.reason, failed.message) == (Reason.NO_NETWORK, "cannot connect to 127.0.0.1: connection refused")


def test_a_name_without_an_address(tmp_path: Path) -> None:
    failed = failure("https://releases.invalid/it", tmp_path)
    assert failed.reason is Reason.NO_NETWORK
    assert failed.message.startswith("cannot connect to releases.invalid: ")


@pytest.mark.parametrize("url", ["https://", "ftp://127.0.0.1/it", "http://127.0.0.1:port/it", "it"])
def test_an_invalid_url(tmp_path: Path, url: str) -> None:
    assert failure(url, tmp_path).message == "the URL is invalid"


# --- redirects


def redirect(location: str, status: int = 302) -> Answer:
    return lambda handler: send(handler, status, Location=location)


def test_a_redirect_to_another_server_without_the_credentials(tmp_path: Path) -> None:
    with serving(good) as storage, serving(redirect(f"{storage.url}/it", 307)) as server:
        headers = {"Authorization": "Bearer secret", "Accept": "*/*"}
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), headers=headers, limits=LIMITS)
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert server.requests[0][1]["Authorization"] == "Bearer secret"
    assert storage.requests[0][0] == "/it"
    assert storage.requests[0][1]["Accept"] == "*/*"
    assert "Authorization" not in storage.requests[0][1]


def test_a_redirect_on_the_same_server_keeps_them(tmp_path: Path) -> None:
    with serving(first(redirect("elsewhere"), good)) as server:
        headers = {"Authorization": "Bearer secret"}
        http.download(f"{server.url}/a/b", tmp_path / "it", lambda *_: None, threading.Event(), headers=headers, limits=LIMITS)
    assert [(path, headers["Authorization"]) for path, headers in server.requests] == [
        ("/a/b", "Bearer secret"),
        ("/a/elsewhere", "Bearer secret"),
    ]


def test_a_redirect_loop(tmp_path: Path) -> None:
    with serving(redirect("/again")) as server:
        failed = failure(server.url, tmp_path)
    assert (failed.reason, failed.message) == (Reason.TOO_MANY_REDIRECTS, "127.0.0.1 redirects more than 5 times")
    assert len(server.requests) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/it"])
def test_a_redirect_to_something_else(tmp_path: Path, location: str) -> None:
    with serving(redirect(location)) as server:
        assert failure(server.url, tmp_path).reason is Reason.INSECURE_REDIRECT


def test_a_redirect_to_nowhere(tmp_path: Path) -> None:
    with serving(redirect("http://[")) as server:
        assert failure(server.url, tmp_path).message == "127.0.0.1 redirects to an invalid URL"


def test_a_redirect_from_https_to_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, tls = own_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with serving(good) as plain, serving(redirect(plain.url), tls) as server:
        failed = failure(server.url, tmp_path)
    assert (failed.reason, failed.message) == (Reason.INSECURE_REDIRECT, "127.0.0.1 redirects from https to http")
    assert plain.requests == []


# --- certificates


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_of_the_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    authority, tls = own_authority(tmp_path)
    with serving(good, tls) as server:
        failed = failure(server.url, tmp_path)
        assert failed.reason is Reason.UNTRUSTED
        assert failed.message.startswith("the certificate of 127.0.0.1 is not trusted: ")
        monkeypatch.setenv(variable, str(authority))
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert (tmp_path / "it").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    if content:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    failed = failure("https://127.0.0.1/", tmp_path)
    assert failed.reason is Reason.UNTRUSTED
    assert failed.message.startswith(f"cannot read certificates from {tmp_path / 'ca.pem'}: ")


def test_a_server_without_tls(tmp_path: Path) -> None:
    with serving(good) as server:
        assert failure(f"https://127.0.0.1:{server.port}/", tmp_path).reason is Reason.CUT_OFF


# --- proxies

PASSWORD = "p@ss word"
URL_CREDENTIALS = "someone:p%40ss%20word"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_with_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    authority, tls = own_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with serving(good, tls if scheme == "https" else None) as server, serving(proxy(server.port, f"someone:{PASSWORD}")) as between:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", between.url.replace("://", f"://{URL_CREDENTIALS}@"))
        http.download(f"{scheme}://releases.example/it", tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert server.requests[0][0] == "/it"
    assert "Proxy-Authorization" not in server.requests[0][1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_denies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with serving(proxy(1, "someone:other")) as between:
        monkeypatch.setenv(f"{scheme}_proxy", between.url.replace("://", f"://{URL_CREDENTIALS}@"))
        failed = failure(f"{scheme}://releases.example/it", tmp_path)
    assert (failed.reason, failed.status) == (Reason.DENIED, 407)
    assert failed.message.startswith("the proxy denies access (407)")


def test_a_proxy_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("ALL_PROXY", f"{URL_CREDENTIALS}@127.0.0.1:{port}")
    failed = failure("https://releases.example/it", tmp_path)
    assert (failed.reason, failed.message) == (Reason.NO_NETWORK, "the proxy does not connect: connection refused")
    assert "word" not in repr(failed)


def test_a_proxy_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://{URL_CREDENTIALS}@127.0.0.1")
    assert failure("https://releases.example/it", tmp_path).message == "a proxy must have an http or https URL, not socks5"


@pytest.mark.parametrize("excluded", ["releases.invalid", ".invalid", "*"])
def test_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, excluded: str) -> None:
    with serving(good) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", excluded)
        assert failure("https://releases.invalid/it", tmp_path).message.startswith("cannot connect to releases.invalid")
    assert between.requests == []


def test_no_proxy_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(good) as server, serving(good) as between:
        monkeypatch.setenv("HTTP_PROXY", between.url)
        http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), limits=LIMITS)
    assert between.requests == []
