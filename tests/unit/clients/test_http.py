"""What a server answers with, and downloads, from a real server on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from devloop.clients import http
from devloop.clients.ports import free_ports
from devloop.errors import Interrupted

CONTENT = b"a program" * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404 if self.headers["Authorization"] else 401)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + (self.path == "/short")))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_status_of_an_answer(port: int) -> None:
    assert http.status("127.0.0.1", port, "/", timeout=5) == 200
    assert http.status("127.0.0.1", port, "/missing", timeout=5) == 401
    assert http.status("127.0.0.1", port, "/missing", timeout=5, headers={"Authorization": "Basic x"}) == http.NOT_FOUND
    assert http.status("127.0.0.1", *free_ports(1), "/", timeout=5) is None


def test_a_download_reports_its_checksum_and_progress(port: int, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    digest = http.download(f"http://127.0.0.1:{port}/", tmp_path / "it", lambda part, _: fractions.append(part), threading.Event())
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert fractions[-1] == 1


@pytest.mark.parametrize("path", ["/short", "/missing"])
def test_an_incomplete_download_fails(port: int, tmp_path: Path, path: str) -> None:
    with pytest.raises(http.DownloadFailed):
        http.download(f"http://127.0.0.1:{port}{path}", tmp_path / "it", lambda *_: None, threading.Event())


def test_a_download_can_be_interrupted(port: int, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        http.download(f"http://127.0.0.1:{port}/", tmp_path / "it", lambda *_: None, stop)
