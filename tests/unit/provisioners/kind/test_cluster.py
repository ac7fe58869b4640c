"""Waiting for Kind."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.clients.wait import WaitTimeout
from devloop.provisioners.kind import cluster
from devloop.provisioners.kind.cluster import Cluster
from devloop.provisioners.kind.cluster_state import ClusterState


class EndlessKind:
    """Creates until it is stopped."""

    def __init__(self) -> None:
        self.was_ended = threading.Event()

    def create(self, *arguments: Any) -> None:
        arguments[-1].wait(10)
        self.was_ended.set()


def test_kind_has_a_deadline_and_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CREATION_PATIENCE", 0.1)
    kind, containers = EndlessKind(), SimpleNamespace(labelled=lambda _: ())
    runtime: Any = SimpleNamespace(stop=threading.Event(), containers=containers)
    made = Cluster("demo", runtime, lambda: kind, ClusterState(tmp_path))  # type: ignore[arg-type, return-value]
    made.begin({}, lambda _: None)
    with pytest.raises(WaitTimeout, match="Kind did not finish kind-demo within 0 s") as error:
        made.finish()
    assert str(error.value.hint) == "docker ps --all"
    assert kind.was_ended.wait(5)
