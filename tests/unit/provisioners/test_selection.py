"""Which provisioner a command uses."""

from __future__ import annotations

import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.clients import engine
from devloop.errors import DevloopError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners import existing, state_dir
from devloop.provisioners.selection import choose, existing_choices

LOCAL = Environment("here", Path("/nowhere"), ClusterDefinition("local", "G3", "ksail.yaml"))


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


class Pong(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/_ping" else 404)
        self.end_headers()

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def pinged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A socket that responds to a ping like an engine."""
    with socketserver.UnixStreamServer(str(tmp_path / "engine.sock"), Pong) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        yield
        server.shutdown()


def test_embedded_is_selected_without_an_engine() -> None:
    chosen = choose("auto", LOCAL)
    assert chosen.name == "embedded"
    assert "no container engine responds at unix://" in chosen.reason


def test_kind_is_selected_if_an_engine_responds(pinged: None) -> None:
    chosen = choose("auto", LOCAL)
    assert chosen.name == "kind"
    assert "a container engine responds at unix://" in chosen.reason


def test_an_existing_environment_keeps_its_provisioner(pinged: None) -> None:
    state_dir("embedded", "local").mkdir(parents=True)
    assert choose("auto", LOCAL).name == "embedded"
    assert existing_choices("auto", LOCAL) == ("embedded",)


def test_two_provisioners_do_not_share_an_environment() -> None:
    state_dir("kind", "local").mkdir(parents=True)
    with pytest.raises(DevloopError, match="uses the provisioner kind") as error:
        choose("embedded", LOCAL)
    assert "devloop down here" in str(error.value.hint)


def test_down_uses_all_provisioners_with_state() -> None:
    state_dir("kind", "local").mkdir(parents=True)
    state_dir("embedded", "local").mkdir(parents=True)
    assert existing_choices("auto", LOCAL) == ("kind", "embedded")
    assert existing_choices("embedded", LOCAL) == ("embedded",)


def test_state_of_a_provisioner_that_cannot_run_here_is_left_alone(pinged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    state_dir("embedded", "local").mkdir(parents=True)
    monkeypatch.setattr("sys.platform", "darwin")
    assert existing("local") == ()
    assert choose("auto", LOCAL).name == existing_choices("auto", LOCAL)[0] == "kind"
    assert state_dir("embedded", "local").exists()


def test_environments_of_an_older_version_are_found(tmp_path: Path) -> None:
    """State directories must never change."""
    for folder in ("local", "kind@local"):
        (tmp_path / "state" / "devloop" / folder).mkdir(parents=True)
    assert existing("local") == ("kind", "embedded")


def test_the_engine_address_is_resolved_like_the_docker_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    meta = tmp_path / "docker" / "contexts" / "meta" / "abc"
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Name": "far", "Endpoints": {"docker": {"Host": "unix:///far.sock"}}}')
    (tmp_path / "docker" / "config.json").write_text('{"currentContext": "far"}')
    assert engine.address() == "unix:///far.sock"
