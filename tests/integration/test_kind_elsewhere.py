"""Kind, driven as from macOS: devloop finds no /proc, pidfd or prctl (tests/unit/elsewhere.py). The engine is the one of this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Run, User, clean_up, remains

DRIVER = ROOT / "tests/unit/elsewhere.py"


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    result = User(tmp_path, "kind")
    yield result
    clean_up(result)


def devloop(user: User, *arguments: str) -> Run:
    env = user.env | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(DRIVER), "run", "-C", "demo", *arguments, "--output", "json"],
        cwd=user.home,
        env=env,
        text=True,
        capture_output=True,
        timeout=400,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.mark.nightly
def test_an_environment_comes_up_is_reported_and_goes(user: User) -> None:
    user.init()
    up = devloop(user, "up", "local")
    assert up.status == 0, up.text
    assert up.report["provisioner"] == "kind"
    assert all(kustomization["ready"] for kustomization in up.report["kustomizations"])
    again = devloop(user, "up", "local")
    assert {step["status"] for step in again.report["steps"]} == {"unchanged"}, again.text
    status = devloop(user, "status", "local")
    assert status.report["ok"], status.text
    doctor = devloop(user, "doctor", "local")
    assert {check["check"]: check["status"] for check in doctor.report["checks"]}["engine"] != "failed", doctor.text
    down = devloop(user, "down", "local")
    assert down.report["ok"], down.text
    assert remains(user) == []
