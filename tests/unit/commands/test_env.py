"""The list of environments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from devloop.cli import run
from devloop.commands.env import KnownEnvironment, known_environments
from devloop.commands.validate import Request, validate
from devloop.errors import InputError
from devloop.model.report import Event, Notice
from devloop.output.environments import SCHEMA

from ..repository.test_entry_points import flux, write


def listed(root: Path) -> tuple[list[KnownEnvironment], list[str]]:
    events: list[Event] = []
    return known_environments(root, events.append), [each.message for each in events if isinstance(each, Notice)]


def test_each_environment_says_what_told_of_it(tmp_path: Path, worker_program: Path) -> None:
    write(
        tmp_path,
        {
            "clusters/dev/flux-system/gotk-sync.yaml": flux("./clusters/dev", "flux-system"),
            "apps/a.yaml": "",
            "clusters/dev/apps.yaml": flux("./apps"),
        },
    )
    assert listed(tmp_path) == ([KnownEnvironment("dev", "clusters/dev", 2, "clusters/dev/flux-system/gotk-sync.yaml")], [])


def test_the_list_as_json_follows_its_schema(tmp_path: Path, worker_program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"clusters/dev/flux-system/gotk-sync.yaml": flux("./clusters/dev", "flux-system"), "clusters/dev/apps.yaml": ""})
    assert run(["-C", str(tmp_path), "env", "list", "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    file = "clusters/dev/flux-system/gotk-sync.yaml"
    assert document["environments"] == [{"environment": "dev", "entry": "clusters/dev", "kustomizations": 1, "file": file}]


def test_what_none_reaches_is_counted(tmp_path: Path, worker_program: Path) -> None:
    elsewhere = {
        "teams/web.yaml": flux("./apps", "web"),
        "teams/api.yaml": flux("./apps", "api"),
        "archive/old.yaml": flux("./apps", "old"),
    }
    write(tmp_path, {"clusters/dev/flux-system/gotk-sync.yaml": flux("./clusters/dev", "flux-system"), **elsewhere})
    assert listed(tmp_path)[1] == ["2 Kustomizations in no environment"]


def test_none_and_broken_ones_are_told(tmp_path: Path, worker_program: Path) -> None:
    assert listed(tmp_path) == ([], ["no environment found"])
    write(tmp_path, {"devloop.yaml": "environments:\n  prod: {path: nowhere}\n"})
    assert "environments.prod.path is 'nowhere'" in listed(tmp_path)[1][0]


def test_a_path_that_is_no_folder_is_a_wrong_argument(tmp_path: Path, worker_program: Path) -> None:
    with pytest.raises(InputError, match="is not a folder in"):
        validate(Request(tmp_path, path=Path("/etc")), lambda _: None)
