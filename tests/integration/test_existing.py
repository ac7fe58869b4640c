"""Environments are found by what exists, even without their definition or after an interrupted run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from devloop.runtime import control
from devloop.runtime.layout import Layout

from .conftest import User, remains


def test_an_environment_is_found_after_a_rename_a_kill_and_a_move(user: User, tmp_path: Path) -> None:
    repository = user.init()
    done = user.devloop("-C", "demo", "up", "local")
    assert done.status == 0, done.text

    kind_yaml = repository / "clusters" / "local" / "kind.yaml"
    kind_yaml.write_text(kind_yaml.read_text().replace("name: local", "name: renamed"))
    up = user.devloop("-C", "demo", "up", "local")
    assert up.status == 1
    assert "local exists as local (embedded), and the definition now says renamed" in up.err
    assert "devloop -C demo down local" in up.err
    assert not (user.home / "state" / "devloop" / "renamed").exists()
    status = user.devloop("-C", "demo", "status", "local")
    assert status.status == 0, status.text
    assert "local exists as local" in status.out

    layout = Layout(user.home / "state" / "devloop" / "local")
    [supervisor] = [p for p in psutil.process_iter() if p.uids().real == os.getuid() and str(layout.folder) in p.cmdline()[-1:]]
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait(5)
    assert not control.runs(layout)
    repository.rename(tmp_path / "moved")
    listed = user.devloop("env", "list", "--running", cwd=tmp_path)
    row = ["local", "local", "embedded", "running", str(repository), "(does", "not", "exist)"]
    assert [line.split() for line in listed.out.splitlines()][-1] == row
    report = user.devloop("down", "--all", "--output", "json", cwd=tmp_path).report
    assert report["ok"]
    assert [(step["title"], step["message"]) for step in report["steps"]] == [("delete", "cluster local (embedded)")]
    assert remains(user) == []
