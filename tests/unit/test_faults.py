"""The files of tests/faults and what plays them, without an environment."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.lint.rules import RULES
from devloop.model.causes.ids import CAUSES
from scripts.faults.environment import Run
from scripts.faults.evidence import own_time, shows
from scripts.faults.files import FOLDER, PROVISIONERS, Evidence, InvalidFault, Pattern, read_fault, read_faults
from scripts.faults.planting import merged, plant_files
from scripts.faults.play import Result, place_problems, problems_of
from scripts.faults.table import markdown_table, text_table

FAULTS = read_faults()
MINIMAL: dict[str, Any] = {"title": "x", "expect": {"healthy": False, "cause": "pod/crash", "object": "Pod shop/web-*", "text": ["code 3"]}}
CAUSE = {"id": "pod/crash", "object": {"kind": "Pod", "namespace": "shop", "name": "web-1"}, "message": "exit code 3"}


def fault_of(folder: Path, content: Any) -> Any:
    path = folder / "pods" / "x.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_fault(path, folder)


def test_there_are_enough_faults_in_small_folders_and_a_part_of_them_runs_in_ci() -> None:
    assert len(FAULTS) >= 60
    assert max(Counter(Path(fault.name).parent for fault in FAULTS).values()) <= 25
    in_ci = {provisioner: sum(provisioner in fault.ci for fault in FAULTS) for provisioner in PROVISIONERS}
    assert 10 <= in_ci["embedded"] <= len(FAULTS) / 2
    assert 1 <= in_ci["kind"] <= 5


def test_causes_and_rules_of_faults_exist() -> None:
    named = {identifier for fault in FAULTS for identifier in (fault.expected.cause, *fault.expected.also) if identifier}
    assert named - set(CAUSES) - {"cluster/unreachable"} == set()
    assert {fault.rule for fault in FAULTS if fault.rule} - set(RULES) == set()


def test_every_edit_fits_the_sample(tmp_path: Path) -> None:
    """Those of files that `init` makes are planted in every run."""
    root = FOLDER.parents[1]
    for fault in FAULTS:
        for edit in fault.edits:
            path = root / edit["path"]
            made = {"write"} & edit.keys() or path.name == "secret.enc.yaml"
            assert made or path.exists(), (fault.name, path)
            assert "replace" not in edit or edit["replace"] in path.read_text(), (fault.name, edit)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "while parsing"),
        ({"title": "x"}, "the file: 'expect' is a required property"),
        ({**MINIMAL, "provisioners": ["docker"]}, "provisioners.0: 'docker' is not one of"),
        ({**MINIMAL, "edits": [{"path": "a", "replace": "b"}]}, "edits.0: 'with' is a dependency of 'replace'"),
        ({**MINIMAL, "actions": [{"kubectl": "get", "wait": 1}]}, "actions.0: {'kubectl': 'get', 'wait': 1} has too many properties"),
        ({**MINIMAL, "evidence": {"object": "web"}}, "evidence.object: 'web' does not match"),
        ({**MINIMAL, "provisioners": ["kind"], "ci": ["embedded"]}, "ci: embedded is not among the provisioners"),
        ({"title": "x", "expect": {"healthy": False}}, "expect: which cause or text?"),
    ],
)
def test_an_invalid_file_is_an_error_with_its_place(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        fault_of(tmp_path, content)
    assert f"pods/x.yaml: {message}" in str(caught.value)


def run_of(status: int = 1, **report: Any) -> Run:
    return Run(status, "container web: exit code 3", {"ok": status == 0, **report}, time.time(), time.time())


@pytest.mark.parametrize(
    ("run", "problems"),
    [
        (run_of(causes=[CAUSE]), []),
        (
            run_of(0, causes=[CAUSE]),
            ["exit code: expected 1, saw 0", "verdict: expected not healthy, saw the opposite"],
        ),
        (run_of(), ["cause: expected pod/crash Pod/shop/web-*, saw none"]),
        (
            run_of(causes=[{**CAUSE, "id": "pod/not-ready"}]),
            [
                "cause: expected pod/crash Pod/shop/web-*, saw pod/not-ready Pod/shop/web-1",
                "causes: did not expect pod/not-ready Pod/shop/web-1",
            ],
        ),
        (run_of(causes=[CAUSE, {**CAUSE, "id": "job/failed"}]), ["causes: did not expect job/failed Pod/shop/web-1"]),
    ],
)
def test_a_verdict_is_compared_with_the_expected_one(tmp_path: Path, run: Run, problems: list[str]) -> None:
    assert list(problems_of(fault_of(tmp_path, MINIMAL), run)) == problems


def test_texts_are_looked_for_in_output_and_report(tmp_path: Path) -> None:
    expect = {**MINIMAL["expect"], "text": ["code 4"], "absent": ["code 3"]}
    fault = fault_of(tmp_path, {**MINIMAL, "expect": expect})
    assert list(problems_of(fault, run_of(causes=[CAUSE]))) == [
        "text: expected 'code 4' in the output",
        "text: did not expect 'code 3' in the output",
    ]


POD = {
    "kind": "Pod",
    "metadata": {"namespace": "shop", "name": "web-1"},
    "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Waits"}], "text": "CrashLoopBackOff"},
}
EVENT = {"kind": "Event", "involvedObject": {"namespace": "shop", "name": "web-1"}, "reason": "Failed", "message": "exceeded quota"}


@pytest.mark.parametrize(
    ("obj", "evidence", "gone", "shown"),
    [
        (POD, {"object": "Pod shop/web-*"}, False, True),
        (POD, {"object": "Pod shop/db-*"}, False, False),
        (POD, {"object": "Pod web-*"}, False, False),
        (POD, {"object": "Pod shop/web-1", "shows": "CrashLoop"}, False, True),
        (POD, {"object": "Pod shop/web-1", "shows": "web-1"}, False, False),
        (POD, {"object": "Pod shop/web-1", "condition": "Ready=False"}, False, True),
        (POD, {"object": "Pod shop/web-1", "condition": "Ready=False/Waits"}, False, True),
        (POD, {"object": "Pod shop/web-1", "condition": "Ready=False/Other"}, False, False),
        (POD, {"object": "Pod shop/web-1", "gone": True}, False, False),
        (POD, {"object": "Pod shop/web-1", "gone": True}, True, True),
        (POD, {"object": "Pod shop/web-1"}, True, False),
        (EVENT, {"object": "Event shop/web-*", "shows": "quota"}, False, True),
        (EVENT, {"object": "Event shop/web-*", "shows": "admission"}, False, False),
    ],
)
def test_evidence_is_an_object_that_shows_a_text_or_condition(obj: Any, evidence: Any, gone: bool, shown: bool) -> None:
    assert shows(obj, Evidence.of(evidence), gone=gone) is shown


def test_the_own_time_of_an_object_is_its_newest_that_is_not_in_the_future() -> None:
    obj = {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"at": "2026-01-01T00:00:05Z", "until": "2030-01-01T00:00:00Z"},
    }
    assert own_time(obj, before=1767225610.0) == 1767225605.0


def test_a_merge_replaces_removes_and_merges_lists_by_name() -> None:
    value = {"a": 1, "b": [{"name": "x", "c": 1}, {"name": "y"}], "d": {"e": 1, "f": 2}, "g": [1]}
    change = {"a": None, "b": [{"name": "x", "c": 2}, {"name": "z"}], "d": {"e": 3}, "g": [2]}
    assert merged(value, change) == {"b": [{"name": "x", "c": 2}, {"name": "y"}, {"name": "z"}], "d": {"e": 3, "f": 2}, "g": [2]}


def test_edits_and_the_kustomization_are_planted(tmp_path: Path) -> None:
    entry = tmp_path / "k8s" / "clusters" / "local"
    entry.mkdir(parents=True)
    (entry / "kustomization.yaml").write_text("resources:\n  - cluster.yaml\n")
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).write_text("x: 1\n")
    edits = [
        {"path": "a", "replace": "1", "with": "2"},
        {"path": "b", "delete": True},
        {"path": "c", "move": "e"},
        {"path": "d", "merge": {"y": 1}},
        {"path": "new/f", "write": "f"},
        {"path": "a", "append": "z: 1\n"},
    ]
    fault = fault_of(tmp_path, {**MINIMAL, "edits": edits, "kustomization": {"files": {"m.yaml": "kind: X\n"}, "spec": {"wait": None}}})
    plant_files(fault, tmp_path)
    assert (tmp_path / "a").read_text() == "x: 2\nz: 1\n"
    assert not (tmp_path / "b").exists()
    assert (tmp_path / "e").read_text() == "x: 1\n"
    assert yaml.safe_load((tmp_path / "d").read_text()) == {"x": 1, "y": 1}
    assert (tmp_path / "new" / "f").read_text() == "f"
    assert (entry / "fault" / "m.yaml").read_text() == "kind: X\n"
    assert "wait" not in yaml.safe_load((entry / "fault.yaml").read_text())["spec"]
    assert "fault.yaml" in yaml.safe_load((entry / "kustomization.yaml").read_text())["resources"]


def test_a_text_that_is_not_in_its_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    fault = fault_of(tmp_path, {**MINIMAL, "edits": [{"path": "a", "replace": "y", "with": "z"}]})
    with pytest.raises(ValueError, match="a has no 'y'"):
        plant_files(fault, tmp_path)


def test_the_tables_have_a_row_for_each_fault_and_mark_those_that_failed() -> None:
    results = [
        Result("pods/crash", "embedded", "after", 0.41, "pod/crash Pod/shop/web", [], place="web.yaml:7"),
        Result("pods/readiness", "kind", "after", None, "", ["cause: expected"]),
    ]
    command = "task faults -- pods/crash --provisioner embedded"
    row = ["pods/crash", "embedded", "0.4", "pod/crash", "Pod/shop/web", "web.yaml:7", *command.split()]
    assert text_table(results).splitlines()[1].split() == row
    assert "FAILED" in text_table(results).splitlines()[2]
    assert (
        f"| `pods/crash` | embedded | 0.4 | `pod/crash` Pod/shop/web | `web.yaml:7` | `{command}` |" in markdown_table(results).splitlines()
    )


@pytest.mark.parametrize(
    ("path", "line", "at", "problems"),
    [
        ("web.yaml", 2, {"path": "web.yaml", "text": "image: x"}, []),
        ("web.yaml", 0, {"path": "web.yaml"}, []),
        ("web.yaml", 1, {"path": "web.yaml", "text": "image: x"}, ["place: expected 'image: x' in web.yaml, saw web.yaml:1 'name: web'"]),
        ("web.yaml", 9, {"path": "web.yaml", "text": "image: x"}, ["place: expected 'image: x' in web.yaml, saw web.yaml:9 ''"]),
        ("web.yaml", 2, {"path": "web.yaml"}, ["place: expected web.yaml, saw web.yaml:2 'image: x'"]),
        ("", 0, {"path": "web.yaml"}, ["place: expected web.yaml, saw none ''"]),
    ],
)
def test_the_place_of_the_first_cause_is_compared(tmp_path: Path, path: str, line: int, at: Any, problems: list[str]) -> None:
    (tmp_path / "web.yaml").write_text("name: web\nimage: x\n")
    fault = fault_of(tmp_path, {**MINIMAL, "expect": {**MINIMAL["expect"], "at": at}})
    assert list(place_problems(fault, run_of(causes=[{**CAUSE, "path": path, "line": line}]), tmp_path)) == problems


def test_a_pattern_is_shown_like_an_object() -> None:
    assert str(Pattern.of("Pod shop/web-*")) == "Pod/shop/web-*"
    assert str(Pattern.of("Namespace shop")) == "Namespace/shop"
