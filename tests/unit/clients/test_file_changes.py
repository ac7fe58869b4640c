"""Which changes of files count, with the real file system."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.clients.file_changes import changes, is_temporary

WAIT = 30.0  # seconds


@pytest.mark.parametrize(
    "name", [".a.yaml.swp", "a.yaml~", "4913", ".#a.yaml", "#a.yaml#", "a.yaml___jb_tmp___", ".goutputstream-AB12C3", ".DS_Store"]
)
def test_the_temporary_files_of_editors(name: str) -> None:
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["a.yaml", ".sops.yaml", "kustomization.yaml", "49130", "a.swap"])
def test_files_of_a_repository(name: str) -> None:
    assert not is_temporary(name)


@pytest.fixture
def bursts(tmp_path: Path) -> Iterator[queue.SimpleQueue[frozenset[str]]]:
    """The bursts of changes below `tmp_path`; a first one has been seen."""
    found: queue.SimpleQueue[frozenset[str]] = queue.SimpleQueue()
    stop = threading.Event()
    for folder in (".git", "folder"):
        (tmp_path / folder).mkdir()

    def follow() -> None:
        for paths in changes(tmp_path, stop):
            found.put(paths)

    thread = threading.Thread(target=follow)
    thread.start()
    while found.empty():  # until the system watches
        (tmp_path / "first").touch()
        (tmp_path / "first").write_text("x")
        stop.wait(0.05)
    yield found
    stop.set()
    thread.join()


def seen(bursts: queue.SimpleQueue[frozenset[str]], last: str) -> set[str]:
    """All paths until `last` has come, without the first one."""
    paths: set[str] = set()
    while last not in paths:
        paths |= bursts.get(timeout=WAIT)
    return paths - {"first"}


def test_an_edit_is_noticed_and_what_editors_and_git_write_is_not(tmp_path: Path, bursts: queue.SimpleQueue[frozenset[str]]) -> None:
    (tmp_path / ".git" / "HEAD").write_text("x")
    (tmp_path / ".a.yaml.swp").write_text("x")
    (tmp_path / "folder" / "a.yaml").write_text("x")
    assert seen(bursts, "folder/a.yaml") == {"folder/a.yaml"}


def test_a_file_that_replaces_another_one_is_one_change(tmp_path: Path, bursts: queue.SimpleQueue[frozenset[str]]) -> None:
    """As sed -i and many editors save: a new file, renamed."""
    (tmp_path / "sedXyZ").write_text("x")
    (tmp_path / "sedXyZ").rename(tmp_path / "a.yaml")
    paths = seen(bursts, "a.yaml")
    assert "a.yaml" in paths


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert list(changes(tmp_path, stop)) == []


def test_it_ends_when_the_folder_is_another_one(tmp_path: Path) -> None:
    root, seen, stop = tmp_path / "root", threading.Event(), threading.Event()
    root.mkdir()

    def follow() -> None:
        for _ in changes(root, stop):
            seen.set()

    thread = threading.Thread(target=follow)
    thread.start()
    while not seen.wait(0.05):
        (root / "file").write_text("x")
    root.rename(tmp_path / "elsewhere")
    root.mkdir()
    thread.join(WAIT)
    assert not thread.is_alive()
