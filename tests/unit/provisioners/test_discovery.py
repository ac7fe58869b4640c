"""Environments found by what exists: state folders, processes, containers."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devloop.clients.engine.containers import Container
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners import PROVISIONERS, Registration, state_dir
from devloop.provisioners.discovery import discover
from devloop.provisioners.found import FoundEnvironment, State, records, under_another_name
from devloop.provisioners.kind.cluster_state import ClusterState
from devloop.provisioners.kind.discovery import _found, _Parts
from devloop.runtime.components import MARKER
from devloop.runtime.containers import ENVIRONMENT_LABEL, ROOT_LABEL, STATE_LABEL


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")


def make(provisioner: str, cluster: str, owner: object = None) -> Path:
    folder = state_dir(provisioner, cluster)
    folder.mkdir(parents=True)
    if owner is not None:
        (folder / "owner.json").write_text(owner if isinstance(owner, str) else json.dumps(owner))
    return folder


def test_nothing_exists_without_a_state_folder() -> None:
    assert discover().environments == ()


def test_a_state_folder_says_who_owns_it(tmp_path: Path) -> None:
    make("embedded", "one", {"root": str(tmp_path), "environment": "local"})
    make("kind", "two", {"root": "/gone", "environment": "dev"})
    found = discover()
    assert found.environments == (
        FoundEnvironment("one", "embedded", State.STOPPED, "local", str(tmp_path)),
        FoundEnvironment("two", "kind", State.UNKNOWN, "dev", "/gone"),
    )
    assert [each.is_orphan for each in found.environments] == [False, True]
    assert "no container engine responds at" in found.note


@pytest.mark.parametrize("owner", [None, "{", "[]", '{"root": 7, "environment": ["x"]}'])
def test_a_missing_or_damaged_owner_is_unknown(owner: str | None) -> None:
    make("embedded", "one", owner)
    assert discover().environments == (FoundEnvironment("one", "embedded", State.STOPPED),)


def test_an_interrupted_removal_and_other_files_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "devloop"
    (folder / ".one.deleted").mkdir(parents=True)
    (folder / "crash.log").touch()
    (folder / "two.lock").touch()
    assert discover().environments == (FoundEnvironment("one", "embedded", State.LEFTOVERS),)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[None]:
    """A process of an environment whose folder was deleted by hand."""
    folder = tmp_path / "state" / "devloop"
    argv = [sys.executable, "-c", "print(flush=True); input()"]
    with contextlib.ExitStack() as stack:
        for name in ("lost", "other@lost"):
            started = subprocess.Popen(argv, env={MARKER: str(folder / name)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            child = stack.enter_context(started)
            stack.callback(child.kill)
            assert child.stdout
            child.stdout.readline()
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="the embedded provisioner needs Linux")
def test_processes_without_a_folder_are_found(process: None) -> None:
    assert discover().environments == (FoundEnvironment("lost", "embedded", State.RUNNING),)


def test_a_renamed_cluster_is_found_by_its_environment(tmp_path: Path) -> None:
    environment = Environment("local", tmp_path, ClusterDefinition("new", "G3", "ksail.yaml"))
    assert under_another_name(environment) == ()
    make("embedded", "old", {"root": str(tmp_path), "environment": "local"})
    make("embedded", "new", {"root": str(tmp_path), "environment": "local"})
    make("embedded", "dev", {"root": str(tmp_path), "environment": "dev"})
    make("embedded", "other", {"root": "/elsewhere", "environment": "local"})
    assert [each.cluster for each in under_another_name(environment)] == ["old"]
    assert under_another_name(replace(environment, root=Path("/nowhere"))) == ()


def node(state: str) -> Container:
    return Container("node", state)


def labels(cluster: str, **more: str) -> dict[str, str]:
    return {ENVIRONMENT_LABEL: cluster, ROOT_LABEL: "/repository", **more}


def test_containers_and_volumes_complete_the_records(tmp_path: Path) -> None:
    make("kind", "runs", {"root": "/a", "environment": "local"})
    make("kind", "stopped", "{")
    make("kind", "elsewhere", {"root": "/a", "environment": "far", "engine": "another"})
    make("kind", "begun")
    ours = str(tmp_path / "state" / "devloop")
    parts = {
        "runs": _Parts([node("running"), node("exited")], labels("runs")),
        "stopped": _Parts([node("exited")], labels("stopped")),
        "by-hand": _Parts([node("running")]),
        "lost": _Parts([], labels("lost", **{STATE_LABEL: ours})),
        "somebodys": _Parts([node("running")], labels("somebodys", **{STATE_LABEL: "/home/other/.local/state/devloop"})),
    }
    found = {each.cluster: each for each in _found(tuple(records("kind")), parts, "this")}
    assert found == {
        "runs": FoundEnvironment("runs", "kind", State.RUNNING, "local", "/a"),
        "stopped": FoundEnvironment("stopped", "kind", State.STOPPED, "", "/repository"),
        "elsewhere": FoundEnvironment("elsewhere", "kind", State.UNKNOWN, "far", "/a"),
        "begun": FoundEnvironment("begun", "kind", State.LEFTOVERS),
        "lost": FoundEnvironment("lost", "kind", State.LEFTOVERS, "", "/repository"),
        "somebodys": FoundEnvironment("somebodys", "kind", State.RUNNING, "", "/repository", ours=False),
    }


def test_a_damaged_record_still_says_that_devloop_made_the_cluster() -> None:
    assert not ClusterState(make("kind", "credentials-only")).exists
    assert ClusterState(make("kind", "damaged", "{")).exists


def test_a_provisioner_without_a_discovery_of_its_own_is_found_by_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = Registration("devloop.provisioners.ownership:Ownership", "scratch@{name}", "scratch-{name}")
    monkeypatch.setitem(PROVISIONERS, "scratch", registration)
    make("scratch", "one", {"root": str(tmp_path), "environment": "local"})
    assert discover().environments == (FoundEnvironment("one", "scratch", State.UNKNOWN, "local", str(tmp_path)),)
