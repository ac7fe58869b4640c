"""What a server answers with, and downloads, from a real server on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from devloop.clients import http
from devloop.clients.ports import free_ports
from devloop.errors import Interrupted

from .servers import Server, file_server, send, serving

CONTENT = b"a program" * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()

LIMITS = http.Limits(pause=0.01)


def answer(handler: BaseHTTPRequestHandler) -> None:
    if handler.path == "/missing":
        send(handler, 404 if handler.headers["Authorization"] else 401)
    elif handler.path == "/never":
        threading.Event().wait(3)
    else:
        send(handler, 200, CONTENT)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(answer) as running:
        yield running


def load(url: str, folder: Path, *, sha256: str = "", limits: http.Limits = LIMITS, stop: threading.Event | None = None) -> str:
    digest = http.download(url, folder / "it", lambda *_: None, stop or threading.Event(), sha256=sha256, limits=limits)
    assert [path.name for path in folder.glob("*.partial")] == []
    return digest


def test_the_status_of_an_answer(server: Server) -> None:
    assert http.status("127.0.0.1", server.port, "/", timeout=5) == 200
    assert http.status("127.0.0.1", server.port, "/missing", timeout=5) == 401
    assert http.status("127.0.0.1", server.port, "/missing", timeout=5, headers={"Authorization": "Basic x"}) == http.NOT_FOUND
    assert http.status("127.0.0.1", *free_ports(1), "/", timeout=5) is None


def test_a_document(server: Server) -> None:
    assert http.fetch(f"{server.url}/", threading.Event()) == CONTENT
    with pytest.raises(http.DownloadFailed, match="sends more than 1000 bytes") as failed:
        http.fetch(f"{server.url}/", threading.Event(), largest=1000)
    assert failed.value.reason is http.Reason.TOO_LARGE


def test_a_download_reports_its_checksum_and_progress(server: Server, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    digest = http.download(f"{server.url}/", tmp_path / "it", lambda part, _: fractions.append(part), threading.Event())
    assert digest == DIGEST
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert fractions[-1] == 1
    assert fractions == sorted(part for part in fractions if part is not None)
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_a_download_can_be_interrupted(server: Server, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        load(f"{server.url}/", tmp_path, stop=stop)


def test_a_hanging_download_can_be_interrupted(server: Server, tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Interrupted):
        load(f"{server.url}/never", tmp_path, stop=stop, limits=http.LIMITS)


# --- resumed


def test_a_cut_download_is_continued_at_once(tmp_path: Path) -> None:
    ends = [int(len(CONTENT) * 0.9)]
    with serving(file_server(CONTENT, ends=ends)) as server:
        assert load(server.url, tmp_path, sha256=DIGEST) == DIGEST
    [_, (_, second)] = server.requests
    assert (second["Range"], second["If-Range"]) == (f"bytes={int(len(CONTENT) * 0.9)}-", '"1"')


def test_a_cut_download_is_continued_by_the_next_run(tmp_path: Path) -> None:
    ends = [500_000, 600_000]
    once = http.Limits(attempts=0)
    with serving(file_server(CONTENT, ends=ends)) as server:
        for _ in range(2):
            with pytest.raises(http.DownloadFailed, match="ended the connection early") as failed:
                load(server.url, tmp_path, limits=once)
            assert failed.value.reason is http.Reason.CUT_OFF
        assert load(server.url, tmp_path, sha256=DIGEST) == DIGEST
    assert [headers.get("Range") for _, headers in server.requests] == [None, "bytes=500000-", "bytes=600000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_partial_files_can_lie_elsewhere(tmp_path: Path) -> None:
    with serving(file_server(CONTENT, ends=[500_000])) as server:
        once = http.Limits(attempts=0)
        with pytest.raises(http.DownloadFailed):
            http.download(server.url, tmp_path / "it", lambda *_: None, threading.Event(), partials=tmp_path / "later", limits=once)
    assert [path.name for path in tmp_path.iterdir()] == ["later"]
    assert sorted(path.suffix for path in (tmp_path / "later").iterdir()) == [".partial", ".version"]


def test_another_version_is_downloaded_from_the_start(tmp_path: Path) -> None:
    with serving(file_server(b"old" * 100_000, version='"0"', ends=[100_000])) as server:
        with pytest.raises(http.DownloadFailed):
            load(server.url, tmp_path, limits=http.Limits(attempts=0))
        pieces = sorted(path.name for path in tmp_path.iterdir())
    with serving(file_server(CONTENT, ends=[])) as server:
        for piece in pieces:  # of the same URL, as far as the client can know
            (tmp_path / piece).rename(tmp_path / name_of(server.url, piece))
        assert load(server.url, tmp_path, sha256=DIGEST) == DIGEST
    assert server.requests[0][1]["If-Range"] == '"0"'


def name_of(url: str, piece: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32] + Path(piece).suffix


def test_a_damaged_partial_file_is_given_up(tmp_path: Path) -> None:
    with serving(file_server(CONTENT, ends=[500_000])) as server:
        with pytest.raises(http.DownloadFailed):
            load(server.url, tmp_path, limits=http.Limits(attempts=0))
        [partial] = tmp_path.glob("*.partial")
        partial.write_bytes(b"x" * 500_000)
        assert load(server.url, tmp_path, sha256=DIGEST) == DIGEST
    assert [headers.get("Range") for _, headers in server.requests] == [None, "bytes=500000-", None]


def test_a_partial_file_that_is_too_long_is_given_up(tmp_path: Path) -> None:
    with serving(file_server(CONTENT, ends=[500_000])) as server:
        with pytest.raises(http.DownloadFailed):
            load(server.url, tmp_path, limits=http.Limits(attempts=0))
        [partial] = tmp_path.glob("*.partial")
        partial.write_bytes(CONTENT + b"more")
        assert load(server.url, tmp_path) == DIGEST


def test_a_server_without_ranges_sends_everything_again(tmp_path: Path) -> None:
    cuts = [True, False]

    def from_the_start(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:500_000] if cuts.pop(0) else CONTENT)
        handler.close_connection = True

    with serving(from_the_start) as server:
        assert load(server.url, tmp_path, sha256=DIGEST) == DIGEST
    assert server.requests[1][1]["If-Range"] == "Mon, 02 Nov 2026 10:00:00 GMT"


def test_a_wrong_checksum(server: Server, tmp_path: Path) -> None:
    with pytest.raises(http.DownloadFailed, match=f"another file: its SHA-256 is {DIGEST}, expected 0000") as failed:
        load(f"{server.url}/", tmp_path, sha256="0" * 64)
    assert failed.value.reason is http.Reason.WRONG_DIGEST
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_sent_compressed_stays_as_it_is(tmp_path: Path) -> None:
    with serving(lambda handler: send(handler, 200, CONTENT, Content_Encoding="gzip")) as server:
        assert load(server.url, tmp_path) == DIGEST
