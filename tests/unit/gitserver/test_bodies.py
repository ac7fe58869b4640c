"""Bodies of requests to the Git server: large, packed, in pieces, broken."""

from __future__ import annotations

import gzip
import random
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY

from .served import PASSWORDS, Served, commit, git, head
from .test_git_server import V2


def test_large_pushes_are_complete(served: Served, tmp_path: Path) -> None:
    content = random.Random(3).randbytes(20 << 20)
    commit(served.work, "large.bin", content)
    # More than http.postBuffer: sent in chunks, of unknown length.
    git("-c", "http.postBuffer=65536", "push", "--quiet", served.url(PUSHER), "main", cwd=served.work)
    git("clone", "--quiet", "--depth=1", served.url(PULLER), tmp_path / "clone")
    assert (tmp_path / "clone" / "large.bin").read_bytes() == content
    git("reset", "--quiet", "--hard", "HEAD~1", cwd=served.work)
    git("push", "--quiet", "--force", served.url(PUSHER), "main", cwd=served.work)


def test_a_body_of_known_length_is_complete(served: Served) -> None:
    commit(served.work, "known.bin", random.Random(4).randbytes(3 << 20))
    git("-c", "http.postBuffer=100000000", "push", "--quiet", served.url(PUSHER), "main", cwd=served.work)
    assert head(served) == git("rev-parse", "HEAD", cwd=served.work).stdout.strip()


def packets(*lines: str) -> bytes:
    """https://git-scm.com/docs/protocol-common: each line after its length, 0000 ends a part, 0001 separates two."""
    return b"".join(line.encode() if line in ("0000", "0001") else b"%04x%s" % (len(line) + 4, line.encode()) for line in lines)


LIST = packets("command=ls-refs\n", "0001", "ref-prefix refs/heads/main\n", "0000")


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    yield from (body[start : start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_every_kind_of_body_is_read(served: Served, size: int, encoding: str) -> None:
    body = gzip.compress(LIST) if encoding else LIST
    headers = V2 | ({"Content_Encoding": encoding} if encoding else {})
    status, answer = served.ask("POST", f"/{REPOSITORY}/git-upload-pack", PULLER, pieces(body, size) if size else body, **headers)
    assert status == 200
    assert answer == packets(f"{head(served)} refs/heads/main\n", "0000")


def test_gzipped_requests_are_read(served: Served, tmp_path: Path) -> None:
    """A fetch that names many commits: git gzips what is longer than a kilobyte."""
    git("clone", "--quiet", served.url(PULLER), tmp_path / "clone")
    for number in range(40):
        # Later than all others, hence named first: Git stops naming commits once the server knows one.
        date = f"{4_000_000_000 + number} +0000"
        git("commit", "--quiet", "--allow-empty", "-m", str(number), cwd=tmp_path / "clone", GIT_COMMITTER_DATE=date)
    new = commit(served.work, "packed.txt", b"packed\n")
    git("push", "--quiet", served.url(PUSHER), "main", cwd=served.work)
    done = git("fetch", "--quiet", "origin", cwd=tmp_path / "clone", GIT_CURL_VERBOSE="1")
    assert "content-encoding: gzip" in done.stderr.lower()
    assert git("rev-parse", "origin/main", cwd=tmp_path / "clone").stdout.strip() == new


def test_memory_does_not_grow_with_a_packed_body(served: Served) -> None:
    """64 MiB of zeros compress to 64 KiB; Git rejects them, and the server never buffers them."""
    server = psutil.Process(served.pid)
    before = server.memory_info().rss
    bomb = gzip.compress(packets("command=ls-refs\n", "0001") + bytes(64 << 20))
    served.ask("POST", f"/{REPOSITORY}/git-upload-pack", PULLER, bomb, **V2, Content_Encoding="gzip")
    assert server.memory_info().rss - before < 16 << 20


def test_an_error_of_git_is_returned_before_the_body_is_read(served: Served) -> None:
    body = bytes(1 << 20)
    status, _ = served.ask("POST", f"/{REPOSITORY}/git-upload-pack", PULLER, body, Content_Type="text/plain")
    assert status == 415


def exchange(served: Served, request: bytes) -> bytes:
    """The raw response to raw bytes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return stream.read()


def test_expect_is_answered_before_the_body_comes(served: Served) -> None:
    login = b64encode(f"{PULLER}:{PASSWORDS[PULLER]}".encode()).decode()
    head_lines = (
        f"POST /{REPOSITORY}/git-upload-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nExpect: 100-continue\r\n"
        f"Git-Protocol: version=2\r\nContent-Type: {V2['Content_Type']}\r\nContent-Length: {len(LIST)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection, connection.makefile("rb") as stream:
        connection.sendall(head_lines.encode())
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        connection.sendall(LIST)
        assert b"refs/heads/main" in stream.read()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"\r\n",
        b"",
    ],
)
def test_invalid_requests_are_refused_without_a_traceback(served: Served, request_bytes: bytes) -> None:
    exchange(served, request_bytes)
    assert "Traceback" not in served.log


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\n0000",
        b"Content-Length: many\r\n\r\n0000",
        b"Content-Length: -1\r\n\r\n0000",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\n0000\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n0000\r\n",
    ],
)
def test_a_broken_body_changes_nothing(served: Served, rest: bytes) -> None:
    before = head(served)
    login = b64encode(f"{PUSHER}:{PASSWORDS[PUSHER]}".encode())
    start = b"POST /%s/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n" % (REPOSITORY.encode(), login)
    exchange(served, start + b"Content-Type: application/x-git-receive-pack-request\r\nConnection: close\r\n" + rest)
    assert "Traceback" not in served.log
    assert head(served) == before
    assert served.ask("GET", f"/{REPOSITORY}/info/refs?service=git-upload-pack", PULLER)[0] == 200
