"""Stopping environments; those here have files, and at most one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from devloop.cli import run
from devloop.clients.lock import exclusive
from devloop.commands.request import Request
from devloop.commands.status import status
from devloop.commands.stop import stop, stop_all
from devloop.errors import InputError
from devloop.model.report import Status
from devloop.output.environments import SCHEMA
from devloop.provisioners import state_dir
from devloop.provisioners.found import State
from devloop.runtime.components import MARKER

from .existing import ignore, make, make_repository, steps

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the embedded provisioner requires Linux")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    monkeypatch.setenv("GITHUB_ACTIONS", "")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


@pytest.fixture
def process(repository: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What is left of an environment whose supervisor was killed."""
    folder = make("new", repository)
    argv = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(argv, env={MARKER: str(folder)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.readline()
        yield started
        started.kill()


def test_what_runs_is_ended_and_its_files_are_kept(repository: Path, process: subprocess.Popen[bytes]) -> None:
    request = Request(repository, "local")
    assert steps(stop(request, repository, ignore)) == [("stop", Status.CHANGED, "")]
    process.wait()
    assert state_dir("embedded", "new").joinpath("owner.json").exists()
    again = stop(request, repository, ignore)
    assert (again.ok, steps(again)) == (True, [("stop", Status.UNCHANGED, "local is stopped already")])


def test_an_environment_that_does_not_exist_cannot_be_stopped(repository: Path) -> None:
    report = stop(Request(repository, "local", provisioner="embedded"), repository, ignore)
    assert (report.exit_code, steps(report)) == (1, [("stop", Status.FAILED, "there is no environment local")])
    assert str(report.steps[0].hint) == "devloop up local"


def test_an_environment_of_another_repository_is_left_alone(repository: Path, tmp_path: Path) -> None:
    make("new", tmp_path)
    report = stop(Request(repository, "local"), repository, ignore)
    assert steps(report) == [("stop", Status.FAILED, f"the name new is used by an environment of {tmp_path}")]


def test_it_works_outside_a_repository_and_without_a_valid_definition(repository: Path) -> None:
    make("new", repository)
    assert stop(Request(Path(), "new"), None, ignore).ok
    (repository / "clusters" / "local" / "ksail.yaml").write_text("kind: [")
    assert stop(Request(repository, "local"), repository, ignore).ok
    with pytest.raises(InputError, match="there is no environment other on this machine; there is new"):
        stop(Request(Path(), "other"), None, ignore)


def test_a_hint_for_a_name_of_two_repositories_says_stop(repository: Path) -> None:
    make("a", repository)
    make("b", "/gone")
    with pytest.raises(InputError) as error:
        stop(Request(Path(), "local"), None, ignore)
    assert str(error.value.hint) == f"devloop -C {repository} stop local, or devloop stop b"


def test_all_goes_on_after_a_failure(repository: Path) -> None:
    make("a", repository)
    make("b", "/gone", "dev")
    with exclusive(state_dir("embedded", "a").with_name("a.lock"), "a test"):
        report = stop_all(Request(Path(), ""), ignore)
    assert [(title, status) for title, status, _ in steps(report)] == [
        ("stop a (embedded)", Status.FAILED),
        ("stop b (embedded)", Status.UNCHANGED),
    ]
    assert "another run is busy with the environment local" in report.steps[0].message


def test_all_of_nothing_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stop", "--all"]) == 0
    assert "nothing to stop" in capsys.readouterr().out


def test_a_name_or_all_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stop"]) == run(["stop", "local", "--all"]) == 2
    assert "stop needs either a NAME or --all" in capsys.readouterr().err


def test_status_says_that_it_is_stopped_and_what_continues_it(repository: Path) -> None:
    make("new", repository)
    report = status(Request(repository, "local"), ignore)
    assert (report.exit_code, steps(report)) == (1, [("status", Status.FAILED, "local is stopped")])
    assert str(report.steps[0].hint) == "devloop up local"
    assert [(cause.id, cause.message) for cause in report.causes] == [("cluster/stopped", "local is stopped")]


def test_status_of_half_an_environment_does_not_say_so(repository: Path, process: subprocess.Popen[bytes]) -> None:
    assert [cause.id for cause in status(Request(repository, "local"), ignore).causes] == ["cluster/unreachable"]


def test_the_list_says_what_is_stopped(repository: Path, process: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    make("old", "/gone", "dev")
    assert run(["env", "list", "--running", "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert [(each["environment"], each["state"], each["repositoryExists"]) for each in document["environments"]] == [
        ("local", "running", True),
        ("dev", "stopped", False),
    ]


def test_the_list_goes_to_a_file(repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make("new", repository)
    assert run(["env", "list", "--running", "--output", "json", "--output-file", str(tmp_path / "list.json")]) == 0
    assert [each["cluster"] for each in json.loads((tmp_path / "list.json").read_text())["environments"]] == ["new"]
    assert "stopped" in capsys.readouterr().out


def test_the_schema_lists_all_states() -> None:
    schema = json.loads(SCHEMA.read_text())
    assert schema["$defs"]["existing"]["properties"]["state"]["enum"] == [state.value for state in State]
