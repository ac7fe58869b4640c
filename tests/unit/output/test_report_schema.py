"""The schema of JSON reports: what it says of their fields is what the types say, and real reports follow it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from devloop.diagnostic import Diagnostic, Location, Related, Scope, Severity
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.commands import COMMANDS
from devloop.model.doctor.diagnosis import Level, failed
from devloop.model.report import Outcome, Readiness, Report, Span, Status
from devloop.output import FORMATS
from devloop.output.json import SCHEMA, SCHEMA_VERSION

ROOT = Path(__file__).parents[3]
OPEN: dict[str, Any] = json.loads(SCHEMA.read_text())


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas of objects with named fields, at any depth."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)


def closed() -> dict[str, Any]:
    """The schema without fields that it does not name: programs that read reports must allow them, ours has to describe each."""
    schema = copy.deepcopy(OPEN)
    for each in objects(schema):
        each["additionalProperties"] = False
    return schema


def problems(document: Any) -> list[str]:
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in Draft202012Validator(closed()).iter_errors(document)]


def complete(command: str) -> Report:
    """Everything that a report can have."""
    hint, scopes = DevloopCommand("up", "dev"), (Scope("dev", "flux-system/apps"), Scope("prod"))
    related = (Related("k8s/base/web.yaml", 14, "a patch for the object"),)
    location = Location("k8s/a.yaml", 3, "Deployment", "web", ("spec",), "shop")
    return Report(
        command,
        "dev",
        "embedded",
        "main@sha1:2f1c",
        tuple(Outcome(status, "message", hint, "cluster", 1.5, ("tools",)) for status in Status),
        (Readiness("flux-system", "apps", True, "Succeeded", "", "main@sha1:2f1c", ("flux-system/base",), 2.5),),
        tuple(
            Diagnostic("is gone", location, hint, severity, scopes, "graph/path-missing", related, arguments={"path": "./a"})
            for severity in Severity
        ),
        diagnoses=(failed("git", "not found", hint),),
        causes=(Cause("pod/crash", ObjectRef("Deployment", "shop", "web"), "exited", "flux-system/apps", True, hint, log=("a", "b")),),
        timeline=(Span("flux-system/apps", "Kustomization", 0.5, 1.5, (("wait", 0.1), ("build", 0.2)), critical=True),),
    )


REPORTING = [name for name, command in COMMANDS.items() if command.target]


@pytest.mark.parametrize("command", REPORTING)
@pytest.mark.parametrize("full", [True, False], ids=["complete", "empty"])
def test_a_report_follows_the_schema(command: str, full: bool) -> None:
    document = json.loads(FORMATS["json"].write(complete(command) if full else Report(command, "")))
    assert problems(document) == []
    assert document["schemaVersion"] == SCHEMA_VERSION


def test_the_schema_names_no_field_that_reports_do_not_have() -> None:
    document = json.loads(FORMATS["json"].write(complete("doctor")))
    described = {frozenset(each["properties"]) for each in objects(OPEN)}
    written = {frozenset(each) for each in nested(document)} - {frozenset({"path"}), frozenset({"wait", "build"})}  # arguments, phases
    assert described == written


def nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nested(item)


@pytest.mark.parametrize(
    ("definition", "field", "values"), [("step", "status", Status), ("finding", "severity", Severity), ("check", "status", Level)]
)
def test_the_schema_lists_all_values(definition: str, field: str, values: type[StrEnum]) -> None:
    assert OPEN["$defs"][definition]["properties"][field]["enum"] == [value.value for value in values]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"schemaVersion": "2.0"}, "schemaVersion"),
        ({"ok": "yes"}, "ok"),
        ({"more": 1}, "'more' was unexpected"),
        ({"steps": [{}]}, "'title' is a required property"),
        ({"command": "doctor"}, "'checks' is a required property"),
    ],
)
def test_the_schema_rejects_other_documents(change: dict[str, object], part: str) -> None:
    document = json.loads(FORMATS["json"].write(Report("up", "dev"))) | change
    assert part in "\n".join(problems(document))


def test_readers_ignore_fields_that_are_added_later() -> None:
    document = json.loads(FORMATS["json"].write(complete("doctor"))) | {"more": 1}
    assert list(Draft202012Validator(OPEN).iter_errors(document)) == []


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(OPEN)


# -- reports of real runs; the integration tests check theirs in the same way (tests/integration/conftest.py) -----------------------------


def run(folder: Path, *arguments: str, status: int | None = None) -> Any:
    env = os.environ | {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("STATE", "CONFIG")} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "devloop", *arguments, "--output", "json"]
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True)
    assert status in (None, done.returncode), done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return document


RULES = ["definition/invalid", "secrets/plaintext", "graph/dependency-missing", "substitution/undefined", "constitution/monitoring"]


@pytest.mark.parametrize("rule", RULES)
def test_findings_of_real_repositories_follow_the_schema(rule: str, tmp_path: Path, worker_program: Path) -> None:
    document = run(tmp_path, "-C", str(ROOT / "tests/rules" / rule / "fail"), "validate")
    assert problems(document) == []
    assert rule in {finding["rule"] for finding in document["findings"]}


@pytest.mark.parametrize("command", ["up", "status", "stop", "down"])
@pytest.mark.parametrize("definition", ["", "metadata: {name: 3}\n"], ids=["missing", "invalid"])
def test_refusals_follow_the_schema(tmp_path: Path, command: str, definition: str) -> None:
    if definition:
        (tmp_path / "ksail.yaml").write_text(f"apiVersion: ksail.io/v1alpha1\nkind: Cluster\n{definition}")
    document = run(tmp_path, command, "local", status=2)
    assert problems(document) == []
    assert not document["ok"]
    assert bool(document["findings"]) == bool(definition)


def test_the_doctors_report_follows_the_schema(tmp_path: Path) -> None:
    document = run(tmp_path, "doctor", "nowhere", status=1)
    assert problems(document) == []
    assert "failed" in {check["status"] for check in document["checks"]}


@pytest.mark.skipif(sys.platform != "linux", reason="the embedded provisioner requires Linux")
def test_what_is_not_there_is_reported_by_the_schema(tmp_path: Path) -> None:
    (tmp_path / "ksail.yaml").write_text("apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: local}\nspec: {}\n")
    for command, status in (("status", 1), ("stop", 1), ("down", 0)):
        document = run(tmp_path, command, "local", "--provisioner", "embedded", status=status)
        assert problems(document) == []
        assert document["steps"]
