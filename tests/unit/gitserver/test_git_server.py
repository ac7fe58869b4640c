"""The Git server as its own process, asked by the real git and, where git is too polite, by hand."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devloop.clients.ports import free_ports
from devloop.gitserver.credentials import FILE as CREDENTIALS
from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY

PASSWORDS = {PUSHER: "push-Zq3", PULLER: "pull-Zq7"}


@dataclass(frozen=True)
class Served:
    """A running server; `work` is a client's repository with one commit pushed."""

    folder: Path
    port: int
    pid: int
    work: Path

    def url(self, user: str = "", password: str = "") -> str:
        login = f"{user}:{password or PASSWORDS[user]}@" if user else ""
        return f"http://{login}127.0.0.1:{self.port}/{REPOSITORY}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self, method: str, path: str, user: str = "", body: bytes | Iterator[bytes] | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        login = {"Authorization": "Basic " + b64encode(f"{user}:{PASSWORDS[user]}".encode()).decode()} if user else {}
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in (login | headers).items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


def git(*argv: str | Path, cwd: Path | None = None, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """The user's own configuration and credential stores are not asked."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # Packing random bytes takes seconds and gains nothing.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.compression",
        "GIT_CONFIG_VALUE_0": "0",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    done = subprocess.run(["git", *map(str, argv)], cwd=cwd, env=clean | env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def commit(work: Path, name: str, content: bytes) -> str:
    (work / name).write_bytes(content)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "-m", name, cwd=work)
    return git("rev-parse", "HEAD", cwd=work).stdout.strip()


def wait_until_open(port: int, child: subprocess.Popen[bytes]) -> None:
    while child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    pytest.fail("the server ended")


@contextlib.contextmanager
def run_server(folder: Path, port: int, log: Path) -> Iterator[int]:
    """The server's process."""
    argv = [sys.executable, "-m", "devloop.gitserver.process", str(folder), str(port)]
    with log.open("wb") as stream:
        child = subprocess.Popen(argv, stdout=stream, stderr=stream)
    try:
        wait_until_open(port, child)
        yield child.pid
    finally:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / CREDENTIALS).write_text(json.dumps(PASSWORDS))
    (port,) = free_ports(1)
    with run_server(folder, port, folder / "log") as pid:
        server = Served(folder, port, pid, folder / "work")
        git("init", "--quiet", "--initial-branch=main", server.work)
        commit(server.work, "first.txt", b"first\n")
        git("push", "--quiet", server.url(PUSHER), "main", cwd=server.work)
        yield server


def head(served: Served) -> str:
    return git("rev-parse", "main", cwd=served.folder / "git" / REPOSITORY).stdout.strip()


@pytest.mark.parametrize("user", [PUSHER, PULLER])
@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_both_users_clone_and_fetch(served: Served, tmp_path: Path, user: str, version: str) -> None:
    git("-c", f"protocol.version={version}", "clone", "--quiet", served.url(user), tmp_path / "clone")
    assert (tmp_path / "clone" / "first.txt").read_text() == "first\n"
    new = commit(served.work, f"{user}-{version}.txt", b"new\n")
    git("push", "--quiet", served.url(PUSHER), "main", cwd=served.work)
    git("-c", f"protocol.version={version}", "fetch", "--quiet", "origin", cwd=tmp_path / "clone")
    assert git("rev-parse", "origin/main", cwd=tmp_path / "clone").stdout.strip() == new


def test_a_shallow_clone_has_one_commit(served: Served, tmp_path: Path) -> None:
    commit(served.work, "second.txt", b"second\n")
    git("push", "--quiet", served.url(PUSHER), "main", cwd=served.work)
    git("clone", "--quiet", "--depth=1", served.url(PULLER), tmp_path / "clone")
    assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "clone").stdout.strip() == "1"


def test_history_may_be_replaced(served: Served, tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch=other", tmp_path / "other")
    other = commit(tmp_path / "other", "other.txt", b"other\n")
    git("push", "--quiet", "--force", served.url(PUSHER), "other:refs/heads/replaced", cwd=tmp_path / "other")
    git("push", "--quiet", "--force", served.url(PUSHER), "main:refs/heads/replaced", cwd=served.work)
    assert other not in git("ls-remote", served.url(PULLER)).stdout


def test_the_pulling_user_cannot_push(served: Served) -> None:
    before = head(served)
    commit(served.work, "forbidden.txt", b"x")
    done = git("push", served.url(PULLER), "main", cwd=served.work, check=False)
    git("reset", "--quiet", "--hard", "HEAD~1", cwd=served.work)
    assert done.returncode != 0
    assert "403" in done.stderr
    assert head(served) == before
    for method, path in (("GET", "info/refs?service=git-receive-pack"), ("POST", "git-receive-pack")):
        assert served.ask(method, f"/{REPOSITORY}/{path}", PULLER) == (403, b"")


@pytest.mark.parametrize("login", ["", "devloop:wrong@", "devloop:@", f"nobody:{PASSWORDS[PUSHER]}@", f"{PULLER}:{PASSWORDS[PUSHER]}@"])
def test_git_gets_nothing_without_the_right_password(served: Served, tmp_path: Path, login: str) -> None:
    done = git("clone", f"http://{login}127.0.0.1:{served.port}/{REPOSITORY}", tmp_path / "clone", check=False)
    assert done.returncode == 128
    assert not (tmp_path / "clone").exists()


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"devloop").decode(),
        "Basic " + b64encode(b"devloop:").decode(),
        "Basic " + b64encode(b"devloop:\xff\x00").decode(),
        "Bearer push-Zq3",
        "Digest " + b64encode(f"{PUSHER}:{PASSWORDS[PUSHER]}".encode()).decode(),
        "Basic " + b64encode(f"{PUSHER}:{PASSWORDS[PUSHER]}x".encode()).decode(),
    ],
)
def test_other_credentials_are_refused(served: Served, header: str) -> None:
    assert served.ask("GET", f"/{REPOSITORY}/info/refs?service=git-upload-pack", Authorization=header) == (401, b"")


@pytest.mark.parametrize("path", ["/", f"/{REPOSITORY}/info/refs?service=git-upload-pack", f"/{REPOSITORY}/HEAD", "/no/such/thing"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_credentials_all_paths_look_the_same(served: Served, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.getheader("WWW-Authenticate")) == (401, b"", 'Basic realm="devloop"')
    assert "Python" not in str(answer.getheaders())


@pytest.mark.parametrize(
    "path",
    [
        f"/{REPOSITORY}/HEAD",
        f"/{REPOSITORY}/config",
        f"/{REPOSITORY}/info/refs",
        f"/{REPOSITORY}/objects/info/packs",
        f"/{REPOSITORY}/info/refs?service=git-upload-archive",
        f"/{REPOSITORY}/info/refs?service=git-upload-pack&x=1",
        f"/{REPOSITORY}/../{CREDENTIALS}",
        f"/../{CREDENTIALS}",
        f"/%2e%2e/{CREDENTIALS}",
        f"/{REPOSITORY}/../{REPOSITORY}/info/refs?service=git-upload-pack",
        "/other.git/info/refs?service=git-upload-pack",
        "/",
    ],
)
def test_only_smart_http_is_served(served: Served, path: str) -> None:
    assert served.ask("GET", path, PUSHER) == (404, b"")


@pytest.mark.parametrize(
    "path",
    [f"/{REPOSITORY}/git-upload-archive", f"/../{REPOSITORY}/git-receive-pack", "git-receive-pack", f"/x/{REPOSITORY}/git-upload-pack"],
)
def test_only_the_two_services_take_requests(served: Served, path: str) -> None:
    assert served.ask("POST", path, PUSHER, b"0000") == (404, b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPFIND", "OPTIONS"])
def test_other_methods_are_unknown(served: Served, method: str) -> None:
    status, body = served.ask(method, f"/{REPOSITORY}/", PUSHER)
    assert status == 501
    assert b"Traceback" not in body


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
V2 = {"Content_Type": "application/x-git-upload-pack-request", "Git_Protocol": "version=2"}


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


def test_it_listens_only_on_loopback(served: Served) -> None:
    listening = [c.laddr for c in psutil.Process(served.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", served.port)]


def test_passwords_are_never_shown(served: Served) -> None:
    git("ls-remote", served.url(PULLER))
    git("ls-remote", served.url(PUSHER, "wrong-Zq9"), check=False)
    command = Path(f"/proc/{served.pid}/cmdline").read_bytes().decode()
    environment = Path(f"/proc/{served.pid}/environ").read_bytes().decode()
    configuration = (served.folder / "git" / REPOSITORY / "config").read_text()
    for password in (*PASSWORDS.values(), "wrong-Zq9"):
        assert password not in command + environment + configuration + served.log


def test_no_program_of_git_is_left_running(served: Served) -> None:
    assert [child for child in psutil.Process(served.pid).children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE] == []


def test_the_repository_has_no_hooks(served: Served) -> None:
    assert list((served.folder / "git" / REPOSITORY).glob("hooks/*")) == []


def test_a_second_start_keeps_what_was_pushed(served: Served) -> None:
    before = head(served)
    (port,) = free_ports(1)
    with run_server(served.folder, port, served.folder / "second.log"):
        url = f"http://{PULLER}:{PASSWORDS[PULLER]}@127.0.0.1:{port}/{REPOSITORY}"
        assert git("ls-remote", url, "main").stdout.split()[0] == before


def test_a_port_in_use_is_reported(served: Served) -> None:
    argv = [sys.executable, "-m", "devloop.gitserver.process", str(served.folder), str(served.port)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "address already in use" in done.stderr.lower()
