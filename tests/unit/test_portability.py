"""validate, render and Kind need nothing of Linux alone, and where the embedded provisioner cannot run, devloop says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from devloop.clients.process import exists

from .elsewhere import embedded_only

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("elsewhere.py")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Run:
    """Runs the driver with the tools of this machine, but without its keys, environments and engine."""
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE")}
    env = os.environ | folders | {"TMPDIR": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock", "PYTHONPATH": str(ROOT)}

    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(DRIVER), verb, *arguments], cwd=tmp_path, env=env, text=True, capture_output=True)

    return run


def test_all_modules_can_be_imported_and_none_imports_what_only_embedded_uses(elsewhere: Run) -> None:
    done = elsewhere("import")
    assert done.returncode == 0, done.stderr
    imported = done.stdout.split()
    assert {"devloop.commands.validate", "devloop.commands.render", "devloop.provisioners.kind", "devloop.doctor"} < set(imported)
    assert [name for name in imported if any(fnmatchcase(name, pattern) for pattern in embedded_only())] == []


def test_every_exception_of_mypy_is_a_module() -> None:
    for pattern in embedded_only():
        place = ROOT.joinpath(*pattern.removesuffix(".*").split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), pattern


def test_the_sample_is_made_validated_and_rendered(elsewhere: Run, tmp_path: Path, worker_program: Path, sops_program: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    leftover = tmp_path / f"devloop-revision-{ended.pid}-x"
    leftover.mkdir()
    kept = tmp_path / f"devloop-revision-{os.getpid()}-x"
    kept.mkdir()
    for arguments in (["init", "demo"], ["-C", "demo", "validate"], ["-C", "demo", "render", "local", "--diff", "HEAD"]):
        done = elsewhere("run", *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    assert not leftover.exists()
    assert kept.exists()
    assert "kind: Deployment" in elsewhere("run", "-C", "demo", "render", "local").stdout


def test_a_process_exists_until_it_is_reaped() -> None:
    process = subprocess.Popen(["true"])
    assert exists(process.pid)
    process.wait()
    assert not exists(process.pid)
    assert exists(1)  # another user's


@pytest.fixture
def definition(tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec: {}\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("command", ["up", "status", "stop", "down", "doctor"])
def test_the_embedded_provisioner_is_refused(elsewhere: Run, definition: None, command: str) -> None:
    done = elsewhere("run", command, "local", "--provisioner", "embedded")
    assert done.returncode == 2, done.stderr
    assert "the provisioner embedded requires Linux" in done.stderr
    assert "use --provisioner kind" in done.stderr


def test_auto_without_an_engine_says_that_it_needs_one(elsewhere: Run, definition: None, tmp_path: Path) -> None:
    done = elsewhere("run", "up", "local")
    assert done.returncode == 1, done.stderr
    assert f"no container engine responds at unix://{tmp_path}/nothing.sock, and without one devloop requires Linux" in done.stderr
    assert "Docker Desktop" in done.stderr


def test_kind_without_an_engine_does_not_suggest_another_provisioner(elsewhere: Run, definition: None) -> None:
    done = elsewhere("run", "status", "local", "--provisioner", "kind")
    assert "Docker Desktop" in done.stdout + done.stderr
    assert "embedded" not in done.stdout + done.stderr
    assert "systemctl" not in done.stdout + done.stderr


def test_the_doctor_looks_at_what_there_is(elsewhere: Run) -> None:
    done = elsewhere("run", "doctor", "--output", "json")
    assert done.returncode == 1, done.stderr
    checks = {line["check"]: line for line in json.loads(done.stdout)["checks"]}
    assert "cannot run the provisioner embedded, which requires Linux" in checks["system"]["message"]
    assert checks["engine"]["status"] == "failed"
    assert "without an engine, `up` requires Linux" in checks["engine"]["message"]
    assert {"capabilities", "cgroups", "inotify"}.isdisjoint(checks)
    assert "memory" in checks
    assert "the check failed with" not in done.stdout
