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
    """A socket at which something answers a ping as engines do."""
    with socketserver.UnixStreamServer(str(tmp_path / "engine.sock"), Pong) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        yield
        server.shutdown()


def test_without_an_engine_processes_are_taken() -> None:
    chosen = choose("auto", LOCAL)
    assert chosen.name == "embedded"
    assert "no container engine responds at unix://" in chosen.reason


def test_an_engine_that_answers_is_taken(pinged: None) -> None:
    chosen = choose("auto", LOCAL)
    assert chosen.name == "kind"
    assert "a container engine responds at unix://" in chosen.reason


def test_what_runs_goes_on_with_what_it_runs_with(pinged: None) -> None:
    state_dir("embedded", "local").mkdir(parents=True)
    assert choose("auto", LOCAL).name == "embedded"
    assert existing_choices("auto", LOCAL) == ("embedded",)


def test_two_provisioners_do_not_share_an_environment() -> None:
    state_dir("kind", "local").mkdir(parents=True)
    with pytest.raises(DevloopError, match="uses the provisioner kind") as error:
        choose("embedded", LOCAL)
    assert "devloop down here" in str(error.value.hint)


def test_the_way_down_takes_everything_that_exists() -> None:
    state_dir("kind", "local").mkdir(parents=True)
    state_dir("embedded", "local").mkdir(parents=True)
    assert existing_choices("auto", LOCAL) == ("kind", "embedded")
    assert existing_choices("embedded", LOCAL) == ("embedded",)


def test_environments_of_an_older_version_are_found(tmp_path: Path) -> None:
    """Where they keep their state must never change."""
    for folder in ("local", "kind@local"):
        (tmp_path / "state" / "devloop" / folder).mkdir(parents=True)
    assert existing("local") == ("kind", "embedded")


def test_the_engine_is_where_the_docker_program_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    meta = tmp_path / "docker" / "contexts" / "meta" / "abc"
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Name": "far", "Endpoints": {"docker": {"Host": "unix:///far.sock"}}}')
    (tmp_path / "docker" / "config.json").write_text('{"currentContext": "far"}')
    assert engine.address() == "unix:///far.sock"
