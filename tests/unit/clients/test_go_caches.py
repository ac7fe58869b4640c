"""Where Go's caches are during a build, and when they go."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.clients.go.caches import build_caches, remove_build_caches, variables
from devloop.clients.xdg import build_folder
from devloop.toolchain import KEEP, Toolchain


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("GOCACHE", "GOMODCACHE", "GOFLAGS", KEEP):
        monkeypatch.delenv(name, raising=False)
    (build_folder() / "go-build").mkdir(parents=True)
    return build_folder()


def test_the_caches_are_devloops_own(folder: Path) -> None:
    assert variables() == {"GOCACHE": str(folder / "go-build"), "GOMODCACHE": str(folder / "modules"), "GOFLAGS": "-modcacherw"}


def test_caches_that_the_user_names_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", "/mine")
    monkeypatch.setenv("GOMODCACHE", "/modules")
    assert variables() == {}


def test_flags_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-p=1")
    assert variables()["GOFLAGS"] == "-p=1 -modcacherw"


def test_they_are_removed_when_no_build_follows(folder: Path) -> None:
    Toolchain().end_builds()
    assert not folder.exists()
    Toolchain().end_builds()


def test_a_variable_keeps_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEEP, "true")
    Toolchain().end_builds()
    assert folder.exists()


def test_a_build_that_fails_can_continue(folder: Path) -> None:
    with pytest.raises(RuntimeError), build_caches():
        raise RuntimeError
    assert folder.exists()


def test_a_running_build_keeps_them(folder: Path) -> None:
    with build_caches():
        remove_build_caches()
        assert folder.exists()
    remove_build_caches()
    assert not folder.exists()
