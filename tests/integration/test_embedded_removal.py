"""The removal of embedded environments, also of damaged and unfinished ones."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import psutil
import pytest
import yaml

from devloop.clients.kube import NODES
from devloop.errors import DevloopError
from devloop.gitserver import open_git_server
from devloop.model.cluster.environment import Environment
from devloop.model.report import Notice
from devloop.runtime import control

from .embedded_places import Place, open_embedded, remove, supervisor, works


@pytest.mark.parametrize("killed", ["nothing", "supervisor", "kube-apiserver", "everything"])
def test_delete_leaves_nothing_whatever_was_killed_before(place: Place, killed: str) -> None:
    place.kubeconfig.write_text(yaml.safe_dump({"contexts": [{"name": "work", "context": {}}], "current-context": "work"}))
    place.ensure_cluster()
    place.ensure_git_server()
    victims = {
        "nothing": [],
        "supervisor": [supervisor(place)],
        "kube-apiserver": [psutil.Process(place.pid("kube-apiserver"))],
        "everything": place.processes(),
    }[killed]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    remove(place)
    assert yaml.safe_load(place.kubeconfig.read_text())["current-context"] == "work"


def test_an_interrupted_deletion_is_finished(place: Place) -> None:
    place.ensure_git_server()
    control.end(place.layout)
    place.layout.folder.rename(place.layout.folder.with_name(".demo.deleted"))
    place.delete()
    assert list(place.layout.folder.parent.iterdir()) == []


UP = """
import os, signal, sys, threading
from pathlib import Path
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.toolchain import Toolchain
threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
environment = Environment("local", Path(sys.argv[1]), ClusterDefinition("demo", "G3", "ksail.yaml"))
EmbeddedProvisioner(environment, Toolchain(), threading.Event()).ensure_cluster(lambda _: None)
signal.pause()
"""


@pytest.mark.parametrize("seconds", ["0.1", "1.2"])
def test_a_killed_run_can_be_removed_or_continued(place: Place, seconds: str) -> None:
    """At any point: the supervisor outlives it and finishes its requests."""
    for follow_up in (place.delete, place.ensure_cluster):
        killed = subprocess.run([sys.executable, "-c", UP, str(place.home / "repository"), seconds], check=False)
        assert killed.returncode == -signal.SIGKILL
        follow_up()
        assert bool(place.processes()) == (follow_up == place.ensure_cluster)
    assert works(place)
    assert [node["metadata"]["name"] for node in place.kube.list(NODES)] == ["demo-control-plane"]


def test_the_context_is_removed_from_the_kubeconfig_it_was_added_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.ensure_cluster()
    monkeypatch.setenv("KUBECONFIG", str(place.home / "another"))
    assert place.kubeconfig.exists()
    remove(place)
    assert not place.kubeconfig.exists()


def test_a_broken_kubeconfig_is_reported_and_kept_but_the_rest_is_deleted(place: Place) -> None:
    place.ensure_git_server()
    place.kubeconfig.write_text("clusters: [\n")
    with pytest.raises(DevloopError, match="kubeconfig:2 is not valid YAML"):
        place.delete()
    assert place.processes() == []
    assert not place.layout.folder.exists()
    assert place.kubeconfig.read_text() == "clusters: [\n"


def test_leftovers_of_a_deleted_repository_are_removed_with_a_notice(place: Place) -> None:
    place.ensure_git_server()
    control.end(place.layout)
    before = json.loads((place.layout.folder / "git-credentials.json").read_text())
    (place.home / "repository").rename(place.home / "moved")
    moved = Environment("local", place.home / "moved", place.environment.definition)
    assert open_git_server(open_embedded(moved).runtime).ensure(place.events.append)
    assert [event.message for event in place.events if isinstance(event, Notice)] == [
        f"removing demo, left behind by {place.home / 'repository'}"
    ]
    assert json.loads((place.layout.folder / "git-credentials.json").read_text()) != before
    assert open_embedded(moved).delete(place.events.append)
