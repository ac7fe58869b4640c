"""Programs on PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devloop.toolchain import Toolchain

from .hello import FILES, LOCK, VERSION, ignore, make_lock


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / "hello"
    program.write_text(f'#!/bin/sh\necho asked >> {folder}/asked\necho "hello v{version}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return program


def test_a_program_on_path_with_the_pinned_version_is_used(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ()
    assert toolchain.path("hello") == program
    assert toolchain.ensure(["hello"], ignore)
    [state] = toolchain.states()
    assert (state.channel, state.origin) == ("path", str(program))
    assert toolchain.path("hello").resolve() == program


def test_a_program_on_path_is_asked_once(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    (tmp_path / "bin" / "asked").unlink()
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    toolchain.path("hello")
    assert toolchain.missing(["hello"]) == ()
    assert not (tmp_path / "bin" / "asked").exists()


def test_a_program_on_path_that_changed_is_asked_again(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore)
    put_on_path(tmp_path / "bin", monkeypatch, "10.0.0")
    assert Toolchain(lock=lock, folder=tmp_path / "cache").missing(["hello"]) == ("hello",)


@pytest.mark.parametrize("version", ["1.2.4", "1.2.3-beta", "1.2", ""])
def test_another_version_on_path_is_not_used(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, version)
    assert Toolchain(lock=lock, folder=tmp_path / "cache").missing(["hello"]) == ("hello",)


def test_a_program_on_path_still_needs_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, VERSION)
    lock = make_lock(tmp_path / "lock", LOCK + FILES)
    (config := lock.parent / "modules" / "hello" / "config").mkdir()
    (config / "a.yaml").write_text("kind: A\n")
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ("hello",)
    assert toolchain.ensure(["hello"], ignore)
    assert [state.channel for state in toolchain.states()] == ["path"]
    assert toolchain.crds("hello") == [{"kind": "A"}]
