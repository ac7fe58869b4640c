"""Ownership of environments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from devloop.errors import DevloopError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.ownership import Ownership


def environment(root: Path) -> Environment:
    root.mkdir(exist_ok=True)
    return Environment("local", root, ClusterDefinition("shared", "G3", "ksail.yaml"))


def context(name: str) -> dict[str, object]:
    parts = {"clusters": [{"name": name, "cluster": {}}], "users": [{"name": name, "user": {}}]}
    return {**parts, "contexts": [{"name": name, "context": {"cluster": name, "user": name}}]}


@pytest.fixture
def ownership(tmp_path: Path) -> Ownership:
    return Ownership(tmp_path / "owner.json")


def test_an_environment_without_an_owner_is_not_foreign(ownership: Ownership, tmp_path: Path) -> None:
    assert not ownership.is_foreign(environment(tmp_path / "a"))
    ownership.refuse_foreign(environment(tmp_path / "a"))


def test_an_environment_of_another_existing_repository_is_refused(ownership: Ownership, tmp_path: Path) -> None:
    ownership.take(environment(tmp_path / "a"), image="one")
    ownership.refuse_foreign(environment(tmp_path / "a"))
    with pytest.raises(DevloopError, match="the name shared is used by an environment of") as error:
        ownership.refuse_foreign(environment(tmp_path / "b"))
    assert str(error.value.hint) == f"devloop -C {tmp_path}/a down local"
    (tmp_path / "a").rmdir()
    ownership.refuse_foreign(environment(tmp_path / "b"))
    assert ownership.is_foreign(environment(tmp_path / "b"))
    assert ownership.content["image"] == "one"


def test_every_kubeconfig_loses_the_context(ownership: Ownership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ownership.take(environment(tmp_path / "a"))
    for name in ("one", "two"):
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / name))
        assert ownership.enter_context(context("devloop-shared"))
        assert not ownership.enter_context(context("devloop-shared"))
        assert yaml.safe_load((tmp_path / name).read_text())["current-context"] == "devloop-shared"
    assert ownership.leave_context("devloop-shared")
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists()
    assert not ownership.leave_context("devloop-shared")
