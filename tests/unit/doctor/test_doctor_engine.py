"""The container engine that the doctor finds."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from devloop.clients import engine
from devloop.clients.engine import facts
from devloop.model.doctor.engine import NoEngine, Trouble


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock", "nonsense"])
def test_an_engine_that_was_named_and_does_not_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen) == (Trouble.SILENT, True)


def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(engine, "SOCKET", f"{tmp_path}/docker.sock")
    monkeypatch.setattr(engine, "_PODMAN_SOCKETS", ())
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.ABSENT, False, f"{tmp_path}/docker.sock")


def test_an_engine_that_takes_the_question_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert found.trouble is Trouble.SILENT
    assert found.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_that_this_user_may_not_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import docker  # noqa: F401 (nobody may be unable to read where Python lies)

    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        (tmp_path / "docker.sock").chmod(0o600)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        os.seteuid(65534)
        try:
            found = facts.read_engine_facts(1.0)
        finally:
            os.seteuid(0)
    assert isinstance(found, NoEngine)
    assert found.trouble is Trouble.FORBIDDEN


def test_a_podman_is_asked_where_there_is_no_docker_as_up_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(engine, "SOCKET", f"{tmp_path}/docker.sock")
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.SILENT, False, f"{tmp_path}/podman/podman.sock")


def test_the_engine_of_dockers_current_context_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "contexts" / "meta" / "abc").mkdir(parents=True)
    (tmp_path / "contexts" / "meta" / "abc" / "meta.json").write_text(
        '{"Name": "far", "Endpoints": {"docker": {"Host": "unix:///far.sock"}}}'
    )
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    found = facts.read_engine_facts(1.0)
    assert isinstance(found, NoEngine)
    assert (found.trouble, found.chosen, found.address) == (Trouble.SILENT, True, "/far.sock")
