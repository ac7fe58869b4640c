"""Removing environments by what exists; those here have files and no processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.cli import run
from devloop.clients.lock import exclusive
from devloop.commands.down import down, down_all
from devloop.commands.request import Request
from devloop.commands.up import up
from devloop.errors import DevloopError, InputError
from devloop.model.report import Status
from devloop.provisioners import state_dir

from .existing import ignore, make, make_repository, steps


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    monkeypatch.setenv("GITHUB_ACTIONS", "")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


def test_up_refuses_a_second_cluster_beside_a_renamed_one(repository: Path) -> None:
    make("old", repository)
    with pytest.raises(DevloopError, match=r"local exists as old \(embedded\), and the definition now says new") as error:
        up(Request(repository, "local", provisioner="embedded"), ignore)
    assert (error.value.exit_code, str(error.value.hint)) == (1, "devloop down old")


def test_down_removes_what_exists_after_a_rename(repository: Path) -> None:
    folder = make("old", repository)
    request = Request(repository, "local")
    assert steps(down(request, repository, ignore)) == [("delete", Status.CHANGED, "cluster old (embedded)")]
    assert not folder.exists()
    assert down(request, repository, ignore).ok


@pytest.mark.parametrize("text", [None, "kind: [", "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nspec: {cluster: {distributon: K3s}}\n"])
def test_down_needs_no_valid_definition(repository: Path, text: str | None) -> None:
    folder, file = make("old", repository), repository / "clusters" / "local" / "ksail.yaml"
    file.write_text(text) if text else file.unlink()
    assert down(Request(repository, "local"), repository, ignore).ok
    assert not folder.exists()
    with pytest.raises(InputError):
        down(Request(repository, "local"), repository, ignore)


def test_a_broken_definition_removes_nothing_of_another_repository(repository: Path, tmp_path: Path) -> None:
    folder = make("local", tmp_path)
    (repository / "clusters" / "local" / "ksail.yaml").write_text("kind: [")
    with pytest.raises(InputError, match=r"clusters/local/ksail\.yaml"):
        down(Request(repository, "local"), repository, ignore)
    assert folder.exists()


def test_a_stopped_environment_of_another_repository_is_kept(repository: Path, tmp_path: Path) -> None:
    folder = make("new", tmp_path)
    [(_, status, message)] = steps(down(Request(repository, "local"), repository, ignore))
    assert (status, message) == (Status.FAILED, f"the name new is used by an environment of {tmp_path}")
    assert folder.exists()


def test_down_works_outside_a_repository(repository: Path) -> None:
    folder = make("demo", repository)
    assert down(Request(Path(), "demo"), None, ignore).ok
    assert not folder.exists()
    make("other", repository, "dev")
    with pytest.raises(InputError, match="there is no environment demo on this machine; there is other") as error:
        down(Request(Path(), "demo"), None, ignore)
    assert str(error.value.hint) == "devloop env list --running"


def test_all_goes_on_after_a_failure(repository: Path, tmp_path: Path) -> None:
    make("a", repository)
    make("b", "/gone", "dev")
    kept = make("c", repository, "far", "kind")
    with exclusive(state_dir("embedded", "a").with_name("a.lock"), "a test"):
        report = down_all(Request(Path(), ""), ignore)
    assert [status for _, status, _ in steps(report)] == [Status.FAILED, Status.CHANGED, Status.FAILED]
    assert [title for title, _, _ in steps(report)] == ["delete a (embedded)", "delete b (embedded)", "delete c (kind)"]
    assert "another run is busy with the environment local (process" in report.steps[0].message
    assert "no container engine responds at" in report.steps[2].message
    assert (report.exit_code, kept.exists(), state_dir("embedded", "b").exists()) == (1, True, False)


def test_all_removes_leftovers_and_damaged_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", "/gone").joinpath("owner.json").write_text("{")
    (tmp_path / "state" / "devloop" / ".b.deleted").mkdir()
    assert run(["down", "--all"]) == 0
    assert list((tmp_path / "state" / "devloop").iterdir()) == []
    assert "everything is removed" in capsys.readouterr().out
    assert run(["down", "--all"]) == 0


def test_a_name_or_all_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down"]) == run(["down", "local", "--all"]) == 2
    assert "down needs either a NAME or --all" in capsys.readouterr().err


def test_what_exists_is_listed_outside_a_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make("demo", repository)
    make("old", "/gone", "dev")
    monkeypatch.chdir(tmp_path)
    assert run(["env", "list", "--running"]) == 0
    out = capsys.readouterr().out
    assert "no container engine responds at" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["local", "demo", "embedded", "stopped", str(repository)] in rows
    assert ["dev", "old", "embedded", "stopped", "/gone", "(does", "not", "exist)"] in rows
