"""Removing folders."""

from __future__ import annotations

from pathlib import Path

from devloop.clients.removal import remove_folder


def test_a_read_only_folder_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "folder" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0o500)
    assert remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    assert not remove_folder(tmp_path / "none")


def test_what_an_interrupted_removal_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".folder.removed" / "rest").mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    assert remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
