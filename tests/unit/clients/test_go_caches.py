"""Where Go's caches are during a build, and when they go."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from devloop.clients.go import caches
from devloop.clients.go.caches import build_caches, remove_build_caches, variables
from devloop.clients.xdg import build_folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("GOCACHE", "GOMODCACHE", "GOFLAGS", caches.KEEP):
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


def test_they_are_removed_after_a_build(folder: Path) -> None:
    with build_caches() as remove:
        assert folder.exists()
        remove()
    assert not folder.exists()


def test_a_variable_keeps_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caches.KEEP, "true")
    with build_caches() as remove:
        remove()
    assert folder.exists()


def test_a_build_that_fails_can_continue(folder: Path) -> None:
    with pytest.raises(RuntimeError), build_caches():
        raise RuntimeError
    assert folder.exists()


def test_a_build_of_another_run_keeps_them(folder: Path) -> None:
    with build_caches(), folder.with_name(".build.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with build_caches() as remove:
            remove()
        assert folder.exists()


def test_pruning_leaves_them_to_a_build(folder: Path) -> None:
    with build_caches():
        remove_build_caches()
        assert folder.exists()
    remove_build_caches()
    assert not folder.exists()
