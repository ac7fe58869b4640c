"""What a wheel brings is used only if it is what the lock says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devloop.toolchain.lock import load_lock
from devloop.toolchain.packaged import packaged_data, packaged_program

WORKER = load_lock()["worker"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as a wheel installs it."""
    for folder in ("bin", "data/worker"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin/worker").write_text("#!/bin/sh\n")
    (tmp_path / "bin/worker").chmod(0o755)
    (tmp_path / "bin/worker.version").write_text(WORKER.key)
    (tmp_path / "data/worker/crds.json").write_text("[]")
    return tmp_path


def test_a_wheel_brings_the_program_and_its_data(package: Path) -> None:
    assert packaged_program(WORKER, package) == package / "bin/worker"
    data = packaged_data(WORKER, "crds", package)
    assert data
    assert json.loads(data.read_bytes()) == []


def test_a_checkout_brings_neither() -> None:
    assert packaged_program(WORKER) is None
    assert packaged_data(WORKER, "crds") is None


def test_no_program_of_other_sources(package: Path) -> None:
    (package / "bin/worker.version").write_text("000000000000-000000000000")
    assert packaged_program(WORKER, package) is None


def test_no_program_of_another_platform(package: Path) -> None:
    (package / "bin/worker.version").write_text(WORKER.key_on("plan9-mips"))
    assert packaged_program(WORKER, package) is None


def test_no_program_that_cannot_run(package: Path) -> None:
    (package / "bin/worker").chmod(0o644)
    assert packaged_program(WORKER, package) is None


def test_no_program_that_the_wheel_lacks(package: Path) -> None:
    assert packaged_program(load_lock()["kind"], package) is None
    assert packaged_data(load_lock()["kind"], "crds", package) is None
