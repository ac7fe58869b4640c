"""Which environments a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.commands.targets import of_definition, of_machine, of_repository
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.found import FoundEnvironment


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")


def found(cluster: str, environment: str, root: Path | str, provisioner: str = "embedded") -> FoundEnvironment:
    return FoundEnvironment(cluster, provisioner, environment=environment, root=str(root))


def test_outside_a_repository_a_name_is_that_of_the_environment_or_of_the_cluster(tmp_path: Path) -> None:
    existing = [found("demo", "local", tmp_path), found("other", "dev", tmp_path)]
    for name in ("local", "demo"):
        assert [each.key for each in of_machine(name, None, existing, "down")] == [("demo", "embedded")]
    assert of_machine("nothing", None, existing, "down") == ()


def test_all_clusters_of_one_environment_are_meant(tmp_path: Path) -> None:
    existing = [found("demo", "local", tmp_path), found("demo", "local", tmp_path, "kind"), found("old", "local", tmp_path)]
    assert [each.key for each in of_machine("local", None, existing, "down")] == [
        ("demo", "embedded"),
        ("demo", "kind"),
        ("old", "embedded"),
    ]


def test_a_name_in_two_repositories_is_an_error_that_lists_the_commands(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    existing = [found("one", "local", tmp_path / "a"), found("two", "local", "/gone"), found("three", "two", "/gone", "kind")]
    with pytest.raises(InputError, match=f"local is an environment of {tmp_path}/a .* and /gone") as error:
        of_machine("local", None, existing, "down")
    assert str(error.value.hint) == f"devloop -C {tmp_path}/a down local, or devloop down two --provisioner embedded"
    assert of_machine("one", None, existing, "down")[0].key == ("one", "embedded")


def test_inside_a_repository_nothing_of_another_one_that_exists_is_meant(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    existing = [found("demo", "local", tmp_path / "a"), found("left", "local", "/gone")]
    with pytest.raises(InputError, match="of another repository") as error:
        of_machine("demo", tmp_path, existing, "down")
    assert str(error.value.hint) == f"devloop -C {tmp_path}/a down local"
    assert of_machine("left", tmp_path, existing, "down")[0].key == ("left", "embedded")


def test_the_repositorys_own_are_found_by_environment_then_by_cluster(tmp_path: Path) -> None:
    existing = [found("demo", "local", tmp_path), found("local", "dev", tmp_path), found("local", "local", "/other", "kind")]
    assert [each.key for each in of_repository("local", tmp_path, existing)] == [("demo", "embedded")]
    assert [each.key for each in of_repository("demo", tmp_path, existing)] == [("demo", "embedded")]


def test_a_renamed_cluster_is_removed_under_its_old_name(tmp_path: Path) -> None:
    environment = Environment("local", tmp_path, ClusterDefinition("new", "G3", "ksail.yaml"))
    existing = [found("old", "local", tmp_path), found("dev", "dev", tmp_path)]
    [target] = of_definition(environment, "auto", existing)
    assert (target.key, target.environment.root, target.subject) == (("old", "embedded"), tmp_path, "cluster old (embedded)")


def test_containers_of_the_cluster_beside_a_folder_of_the_other_provisioner_are_removed_too(tmp_path: Path) -> None:
    (tmp_path / "state" / "devloop" / "demo").mkdir(parents=True)
    environment = Environment("local", tmp_path, ClusterDefinition("demo", "G3", "ksail.yaml"))
    existing = [found("demo", "local", tmp_path), found("demo", "", tmp_path, "kind"), found("demo", "", "/other", "third")]
    assert [each.key for each in of_definition(environment, "auto", existing)] == [("demo", "embedded"), ("demo", "kind")]


def test_processes_whose_state_folder_was_deleted_are_removed_too(tmp_path: Path) -> None:
    """Their owner is unknown, and the name is that of this environment's cluster."""
    environment = Environment("local", tmp_path, ClusterDefinition("demo", "G3", "ksail.yaml"))
    assert ("demo", "embedded") in [each.key for each in of_definition(environment, "auto", [found("demo", "", "")])]
