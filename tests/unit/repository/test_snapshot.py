"""The snapshot against real Git: what is in it, what it leaves alone, what it refuses."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from devloop.errors import DevloopError, InputError
from devloop.model.cluster.environment import Source
from devloop.repository.snapshot import push, snapshot
from devloop.repository.snapshot_store import remove_store

from .working_trees import commit, everything, files, git, write

pytestmark = pytest.mark.usefixtures("own_folders")


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
