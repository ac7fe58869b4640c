"""One run at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.clients.lock import exclusive
from devloop.errors import DevloopError


def test_the_second_one_is_told_who_is_first_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with exclusive(path, "the environment x"), pytest.raises(DevloopError, match=rf"environment x \(process {os.getpid()}\)"):
        _try(path)
    assert not path.exists()


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = f"""
import os, pathlib
from devloop.clients.lock import exclusive
with exclusive(pathlib.Path({str(path)!r}), "x"):
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.exists()
    with exclusive(path, "x"):
        pass


def _try(path: Path) -> None:
    with exclusive(path, "the environment x"):
        pass
