"""The lock of a tiny tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devloop.clients.go import find_go
from devloop.clients.xdg import cache_folder

from .hello import LOCK, make_lock


@pytest.fixture(autouse=True)
def shared_build_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's usual caches, which have the standard library; devloop's own would be removed after each build."""
    names, go = ("GOCACHE", "GOMODCACHE"), find_go((1,), cache_folder() / "go", lambda: None)
    for name, folder in zip(names, subprocess.check_output([go.program, "env", *names], text=True).split(), strict=True):
        monkeypatch.setenv(name, folder)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return make_lock(tmp_path / "lock", LOCK)
