"""The snapshot against real Git: what is in it, what it leaves alone, what it refuses."""

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
from devloop.errors import DevloopError, InputError
from devloop.model.cluster.environment import Source
from devloop.repository.snapshot import push, snapshot
from devloop.repository.snapshot_store import remove_store


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for name, value in {
        "AUTHOR_NAME": "a",
        "AUTHOR_EMAIL": "a@example.com",
        "COMMITTER_NAME": "c",
        "COMMITTER_EMAIL": "c@example.com",
    }.items():
        monkeypatch.setenv(f"GIT_{name}", value)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=trunk")
    write(root, "k8s/app.yaml", "a: 1\n")
    write(root, "README.md", "hello\n")
    return root


def git(root: Path, *arguments: str, check: bool = True) -> str:
    env = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_INDEX_FILE")}
    return subprocess.run(["git", *arguments], cwd=root, check=check, capture_output=True, text=True, env=env).stdout


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=one")


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def files(source: Source, tmp_path: Path) -> dict[str, str]:
    """What the snapshot holds, read from the store that it was written to."""
    (store,) = (tmp_path / "XDG_CACHE_HOME/devloop/snapshots").iterdir()
    names = git(store, "ls-tree", "-r", "-z", "--name-only", source.commit).split("\0")
    return {name: git(store, "cat-file", "blob", f"{source.commit}:{name}") for name in names if name}


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file; Git itself refreshes the times of objects and shared indexes whenever it reads them."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            0 if {"objects"} & set(path.parts) or "sharedindex" in path.name else path.stat().st_mtime_ns,
        )
        for path in paths
    }


def test_takes_what_is_there_and_leaves_out_what_is_ignored(repo: Path, tmp_path: Path) -> None:
    write(repo, ".gitignore", "*.log\n")
    write(repo, "gone.yaml", "x\n")
    write(repo, "forced.log", "tracked though ignored\n")
    git(repo, "add", "--force", "forced.log")
    commit(repo)
    (repo / "gone.yaml").unlink()
    write(repo, "k8s/app.yaml", "a: 2\n")
    write(repo, "k8s/new ü\nline.yaml", "n\n")
    write(repo, "debug.log", "ignored\n")

    assert files(snapshot(repo), tmp_path) == {
        ".gitignore": "*.log\n",
        "README.md": "hello\n",
        "forced.log": "tracked though ignored\n",
        "k8s/app.yaml": "a: 2\n",
        "k8s/new ü\nline.yaml": "n\n",
    }


def test_leaves_the_repository_byte_for_byte_as_it_was(repo: Path) -> None:
    commit(repo)
    write(repo, "staged.yaml", "s\n")
    git(repo, "add", "staged.yaml")
    write(repo, "staged.yaml", "s2\n")
    git(repo, "config", "core.splitIndex", "true")
    git(repo, "config", "commit.gpgSign", "true")
    for hook in ("post-index-change", "pre-commit", "pre-push", "reference-transaction"):
        write(repo, f".git/hooks/{hook}", "#!/bin/sh\ntouch hook-ran\nexit 1\n")
        (repo / ".git/hooks" / hook).chmod(0o755)
    git(repo, "status", check=False)
    (repo / "hook-ran").unlink(missing_ok=True)
    before = everything(repo)

    snapshot(repo)
    snapshot(repo, "k8s")

    assert everything(repo) == before


def test_same_tree_same_id_wherever_it_lies_and_whoever_asks(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = snapshot(repo)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody else")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    commit(repo)
    git(repo, "config", "i18n.commitEncoding", "ISO-8859-1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repo), str(clone))

    assert snapshot(repo) == snapshot(clone) == first
    assert first.revision == f"main@sha1:{first.commit}"
    write(repo, "k8s/app.yaml", "a: 2\n")
    assert snapshot(repo).commit != first.commit


def test_a_change_within_the_same_tick_of_the_clock_is_seen(repo: Path) -> None:
    commit(repo)
    seen = set()
    for number in range(20):
        (repo / "k8s/app.yaml").write_text(f"a: {number % 10}{number // 10}\n")
        git(repo, "add", "--all")
        (repo / "k8s/app.yaml").write_text(f"b: {number % 10}{number // 10}\n")
        seen.add(snapshot(repo).commit)
    assert len(seen) == 20


def test_a_folder_becomes_the_root(repo: Path, tmp_path: Path) -> None:
    source = snapshot(repo, "./k8s/")
    assert source.directory == "k8s"
    assert files(source, tmp_path) == {"app.yaml": "a: 1\n"}


def test_a_root_within_a_larger_repository_is_all_there_is(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "outer")
    write(tmp_path, "outer/other.txt", "o\n")
    write(tmp_path, "outer/platform/k8s/app.yaml", "a\n")
    root = tmp_path / "outer/platform"
    assert files(snapshot(root), tmp_path) == {"k8s/app.yaml": "a\n"}
    assert files(snapshot(root, "k8s"), tmp_path) == {"app.yaml": "a\n"}


def test_works_in_a_linked_worktree_and_ignores_what_a_hook_has_set(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repo)
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    write(tmp_path / "linked", "side.yaml", "s\n")
    monkeypatch.setenv("GIT_DIR", str(repo / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / "nowhere"))
    assert set(files(snapshot(tmp_path / "linked"), tmp_path)) == {"README.md", "k8s/app.yaml", "side.yaml"}


def test_a_sparse_checkout_is_taken_whole(repo: Path, tmp_path: Path) -> None:
    write(repo, "docs/page.md", "p\n")
    commit(repo)
    git(repo, "sparse-checkout", "set", "k8s")
    assert not (repo / "docs").exists()
    write(repo, "k8s/app.yaml", "a: 3\n")
    assert files(snapshot(repo), tmp_path) == {"README.md": "hello\n", "docs/page.md": "p\n", "k8s/app.yaml": "a: 3\n"}


def test_new_files_outside_of_a_sparse_checkout_are_refused(repo: Path) -> None:
    write(repo, "docs/page.md", "p\n")
    commit(repo)
    git(repo, "sparse-checkout", "set", "k8s")
    write(repo, "docs/new.md", "n\n")
    with pytest.raises(InputError, match=r"docs/new\.md: is new and outside the sparse checkout"):
        snapshot(repo)


def test_a_partial_clone_that_lacks_files_says_so(repo: Path, tmp_path: Path) -> None:
    write(repo, "docs/page.md", "p\n")
    commit(repo)
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--sparse", f"file://{repo}", "partial")
    git(tmp_path, "init", "--quiet", "--bare", "served")
    repo.rename(tmp_path / "unreachable")
    with pytest.raises(InputError, match="partial clone"):
        push(tmp_path / "partial", snapshot(tmp_path / "partial"), f"file://{tmp_path / 'served'}", username="a", password="b")


def test_line_endings_are_those_that_would_be_committed(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "core.autocrlf", "input")
    git(repo, "config", "core.safecrlf", "true")
    (repo / "k8s/app.yaml").write_bytes(b"a: 1\r\n")
    assert files(snapshot(repo), tmp_path)["k8s/app.yaml"] == "a: 1\n"


def test_links_within_the_tree_are_kept(repo: Path, tmp_path: Path) -> None:
    (repo / "k8s/link.yaml").symlink_to("app.yaml")
    (repo / "k8s/up.yaml").symlink_to("../README.md")
    assert files(snapshot(repo), tmp_path)["k8s/link.yaml"] == "app.yaml"


def test_links_out_of_the_tree_are_kept_for_flux_to_leave_out(repo: Path, tmp_path: Path) -> None:
    (repo / "k8s/up.yaml").symlink_to("../README.md")
    (repo / "k8s/abs.yaml").symlink_to("/etc/hostname")
    taken = files(snapshot(repo, "k8s"), tmp_path)
    assert (taken["up.yaml"], taken["abs.yaml"]) == ("../README.md", "/etc/hostname")


def test_submodules_are_taken_as_commits(repo: Path, tmp_path: Path) -> None:
    git(repo, "init", "--quiet", "vendor/lib")
    write(repo, "vendor/lib/file", "f\n")
    commit(repo / "vendor/lib")
    source = snapshot(repo)
    (store,) = (tmp_path / "XDG_CACHE_HOME/devloop/snapshots").iterdir()
    assert git(store, "ls-tree", source.commit, "vendor/lib").startswith("160000 commit ")


def test_a_nested_repository_without_a_commit_is_refused(repo: Path) -> None:
    git(repo, "init", "--quiet", "vendor/lib")
    with pytest.raises(InputError, match="vendor/lib: is a separate Git repository without a commit"):
        snapshot(repo)


def test_conflicts_are_named(repo: Path) -> None:
    commit(repo)
    git(repo, "checkout", "--quiet", "-b", "other")
    write(repo, "k8s/app.yaml", "a: other\n")
    commit(repo)
    git(repo, "checkout", "--quiet", "trunk")
    write(repo, "k8s/app.yaml", "a: trunk\n")
    commit(repo)
    git(repo, "merge", "other", check=False)
    with pytest.raises(InputError, match=r"k8s/app.yaml: has a merge conflict"):
        snapshot(repo)


def bare(root: Path) -> Path:
    git(root, "init", "--quiet", "--bare", "bare")
    return root / "bare"


def no_repository(root: Path) -> Path:
    (root / "plain").mkdir()
    return root / "plain"


def broken(root: Path) -> Path:
    write(root, "broken/.git", "gitdir: /nowhere/at/all\n")
    return root / "broken"


def broken_index(root: Path) -> Path:
    git(root, "init", "--quiet", "repo2")
    write(root, "repo2/.git/index", "no index at all, though long enough to be one\n")
    return root / "repo2"


def all_ignored(root: Path) -> Path:
    git(root, "init", "--quiet", "outer")
    write(root, "outer/.gitignore", "demo/\n")
    write(root, "outer/demo/k8s/app.yaml", "a\n")
    return root / "outer/demo"


def unreadable_filter(root: Path) -> Path:
    git(root, "init", "--quiet", "lfs")
    write(root, "lfs/.gitattributes", "*.bin filter=lfs\n")
    write(root, "lfs/a.bin", "b\n")
    git(root / "lfs", "config", "filter.lfs.clean", "no-such-program %f")
    git(root / "lfs", "config", "filter.lfs.required", "true")
    return root / "lfs"


def sha256(root: Path) -> Path:
    git(root, "init", "--quiet", "--object-format=sha256", "new")
    return root / "new"


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (bare, "bare repository", "clone"),
        (no_repository, "is not in a Git repository", "init"),
        (broken, "is broken: ", "fsck"),
        (broken_index, "index .* cannot be read", "reset"),
        (all_ignored, "ignores all of it|holds no file", "init|ignored"),
        (unreadable_filter, "cannot take a snapshot", "add --all"),
        (sha256, "SHA-256", "sha1"),
        (lambda root: root / "missing", "is not a folder", "-C DIR"),
    ],
)
def test_what_cannot_be_taken_says_why_and_what_to_do(tmp_path: Path, make, message: str, hint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message) as error:
        snapshot(make(tmp_path))
    assert any(word in str(error.value.hint) for word in hint.split("|"))
    assert error.value.exit_code == 2


def test_a_missing_directory_is_named(repo: Path) -> None:
    with pytest.raises(InputError, match="missing holds no file"):
        snapshot(repo, "missing")


def test_git_missing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DevloopError, match="cannot run git") as error:
        snapshot(repo)
    assert str(error.value.hint)


def test_a_cache_that_cannot_be_written(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "file", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DevloopError, match="cannot write to") as error:
        snapshot(repo)
    assert "XDG_CACHE_HOME" in str(error.value.hint)


def test_the_store_is_private_and_can_be_forgotten(repo: Path, tmp_path: Path) -> None:
    first = snapshot(repo)
    (store,) = (tmp_path / "XDG_CACHE_HOME/devloop/snapshots").iterdir()
    assert store.stat().st_mode & 0o777 == 0o700
    remove_store(repo)
    assert not store.exists()
    remove_store(repo)
    assert snapshot(repo) == first


def test_two_at_once_agree(repo: Path) -> None:
    results: list[Source] = []
    threads = [threading.Thread(target=lambda: results.append(snapshot(repo))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(results)) == 1


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
