"""A disk that is full or cannot be written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.errors import DevloopError
from devloop.toolchain import Toolchain

from .hello import ignore, leftovers


def test_a_cache_that_cannot_be_written(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    toolchain = Toolchain(lock=lock, folder=tmp_path / "file")
    assert toolchain.missing(["hello"]) == ("hello",)
    with pytest.raises(DevloopError, match=r"cannot use the cache .*: not a directory") as error:
        toolchain.ensure(["hello"], ignore)
    assert "XDG_CACHE_HOME" in str(error.value.hint)


def test_a_go_cache_that_cannot_be_written(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "file"))
    with pytest.raises(DevloopError, match="Go cannot write to its caches") as error:
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    assert "GOCACHE" in str(error.value.hint)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_and_more_room_later(lock: Path, small_disk: Path) -> None:
    toolchain = Toolchain(lock=lock, folder=small_disk)
    with pytest.raises(DevloopError, match="no space left") as error:
        toolchain.ensure(["hello"], ignore)
    assert "run the same command again" in str(error.value.hint)
    assert leftovers(small_disk) == []
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert toolchain.ensure(["hello"], ignore)
