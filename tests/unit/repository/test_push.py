"""The snapshot on its way to a Git server, and the remotes of a repository."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devloop.clients.git import remotes
from devloop.errors import DevloopError
from devloop.repository.snapshot import push, snapshot

from .working_trees import git, write

pytestmark = pytest.mark.usefixtures("own_folders")


class GitOverHttp(BaseHTTPRequestHandler):
    """Just enough of CGI to let `git http-backend` serve one folder to who knows the password."""

    project_root = ""
    requests: list[str]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"dev:s3cret").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = os.environ | {
            "GIT_PROJECT_ROOT": self.project_root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "dev",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=True).stdout
        head, _, content = done.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    git(tmp_path, "init", "--quiet", "--bare", "served/env.git")
    requests: list[str] = []
    handler = type("Handler", (GitOverHttp,), {"project_root": str(tmp_path / "served"), "requests": requests})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/env.git", tmp_path / "served/env.git", requests
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_push_sends_the_snapshot_once(repo: Path, server: tuple[str, Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, served, requests = server
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.http://127.0.0.1:1/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", url)
    first = snapshot(repo)
    assert push(repo, first, url, username="dev", password="s3cret")
    assert git(served, "rev-parse", "refs/heads/main").strip() == first.commit

    requests.clear()
    assert not push(repo, first, url, username="dev", password="s3cret")
    assert not any("git-receive-pack" in path and "info/refs" not in path for path in requests)

    write(repo, "k8s/app.yaml", "a: 2\n")
    second = snapshot(repo)
    before = set(git(served, "cat-file", "--batch-all-objects", "--batch-check").splitlines())
    assert push(repo, second, url, username="dev", password="s3cret")
    after = set(git(served, "cat-file", "--batch-all-objects", "--batch-check").splitlines())
    assert git(served, "rev-parse", "refs/heads/main").strip() == second.commit
    assert sorted(line.split()[1] for line in after - before) == ["blob", "commit", "tree", "tree"]


def test_push_with_the_wrong_password_never_shows_it(repo: Path, server: tuple[str, Path, list[str]]) -> None:
    url, _, _ = server
    with pytest.raises(DevloopError) as error:
        push(repo, snapshot(repo), url, username="dev", password="wr0ng")
    told = f"{error.value} {error.value.hint}"
    assert "wr0ng" not in told
    assert base64.b64encode(b"dev:wr0ng").decode() not in told


def test_remotes_come_without_credentials(repo: Path, tmp_path: Path) -> None:
    git(repo, "remote", "add", "origin", "https://me:token@example.com/a/b.git")
    git(repo, "remote", "add", "ssh", "ssh://git@example.com/a/b.git")
    git(repo, "remote", "add", "short", "git@example.com:a/b.git")
    assert remotes(repo) == ("https://example.com/a/b.git", "ssh://example.com/a/b.git", "git@example.com:a/b.git")
    assert remotes(tmp_path) == ()
