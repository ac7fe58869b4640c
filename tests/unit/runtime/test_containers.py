"""Ownership of containers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from devloop.clients.engine import connect
from devloop.clients.engine.containers import Container
from devloop.clients.xdg import state_folder
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.runtime.containers import ENVIRONMENT_LABEL, ROOT_LABEL, STATE_LABEL, ContainerRuntime
from devloop.toolchain import Toolchain


@pytest.fixture
def runtime(tmp_path: Path) -> ContainerRuntime:
    (tmp_path / "mine").mkdir()
    environment = Environment("local", tmp_path / "mine", ClusterDefinition("demo", "G3", ""))
    return ContainerRuntime(environment, Toolchain(), threading.Event(), "net", "node", tmp_path / "state", connect, lambda: None)


def test_labels_never_change(runtime: ContainerRuntime, tmp_path: Path) -> None:
    """So that `down` finds environments of older versions."""
    assert (ENVIRONMENT_LABEL, ROOT_LABEL, STATE_LABEL) == ("devloop.dev/environment", "devloop.dev/root", "devloop.dev/state")
    own = {"devloop.dev/environment": "demo", "devloop.dev/root": str(tmp_path / "mine"), "devloop.dev/state": str(state_folder())}
    assert runtime.labels == own


@pytest.mark.parametrize(("root", "ours"), [("mine", True), ("gone", True), ("theirs", False)])
def test_containers_of_this_or_a_deleted_repository_are_ours(runtime: ContainerRuntime, tmp_path: Path, root: str, ours: bool) -> None:
    (tmp_path / "theirs").mkdir()
    assert runtime.is_ours(Container("a", "running", labels={ROOT_LABEL: str(tmp_path / root)})) == ours


def test_a_container_without_our_label_is_not_ours(runtime: ContainerRuntime) -> None:
    assert not runtime.is_ours(Container("a", "running"))
