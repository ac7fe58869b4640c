"""What becomes of a watch when a run ends as none should."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.commands import watch
from devloop.commands.request import Request
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.session import Session


def session(root: Path) -> Session:
    """Of an environment that nobody has brought up."""

    def no_kubeconfig() -> Path:
        raise FileNotFoundError

    environment = Environment("local", root, ClusterDefinition("local", "G3", "ksail.yaml", entry_path="cluster"))
    provisioner: Any = SimpleNamespace(name="embedded", kubeconfig=no_kubeconfig)
    toolchain: Any = None
    return Session(environment, provisioner, toolchain, lambda _: None)


def test_a_bug_in_a_run_ends_the_watch_instead_of_a_verdict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    events: list[object] = []

    def fail(*_: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(watch, "run", fail)
    running = watch._Watch(Request(tmp_path, "local"), session(tmp_path), events.append, watch.Messages(), push_anyway=False)
    with pytest.raises(TypeError, match="a bug"):
        running.run()
    running.session.stop.set()
    assert not any(isinstance(event, watch.RunEnded) for event in events)


def test_a_bug_in_what_looks_at_the_files_does_not_leave_the_watch_deaf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def fail(*_: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(watch, "run", lambda *_: None)
    monkeypatch.setattr("devloop.commands.watched_files.changes", fail)
    running = watch._Watch(Request(tmp_path, "local"), session(tmp_path), lambda _: None, watch.Messages(), push_anyway=False)
    with pytest.raises(TypeError, match="a bug"):
        running.run()
