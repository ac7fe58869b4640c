"""The Git server as its own process, asked by the real git and, where git is too polite, by hand."""

from __future__ import annotations

import http.client
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import psutil
import pytest

from devloop.clients.ports import free_ports
from devloop.gitserver.credentials import FILE as CREDENTIALS
from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY

from .served import PASSWORDS, Served, commit, git, head, run_server


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


V2 = {"Content_Type": "application/x-git-upload-pack-request", "Git_Protocol": "version=2"}


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
