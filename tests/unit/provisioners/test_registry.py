"""Every registered provisioner implements the protocol."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners import PROVISIONERS, Provisioner, open_provisioner
from devloop.toolchain import Toolchain

METHODS = [name for name in vars(Provisioner) if not name.startswith("_")]


@pytest.mark.parametrize("name", PROVISIONERS)
def test_a_provisioner_has_its_name_context_and_all_methods(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    environment = Environment("local", tmp_path, ClusterDefinition("demo", "G3", "ksail.yaml"))
    opened = open_provisioner(name, environment, Toolchain(), threading.Event())
    assert opened.name == name
    assert opened.context() == PROVISIONERS[name].context.format(name="demo")
    assert [method for method in METHODS if not hasattr(opened, method)] == []


def test_no_two_share_a_folder_or_a_context() -> None:
    for attribute in ("state_dir", "context"):
        assert len({getattr(registered, attribute) for registered in PROVISIONERS.values()}) == len(PROVISIONERS)
