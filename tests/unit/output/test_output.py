"""Reports for other programs. An integration test validates SARIF against its schema."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

import pytest

from devloop.diagnostic import Diagnostic, Location, Related, Scope, Severity
from devloop.hint import DevloopCommand, Hint, command, instructions, shell
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.doctor.diagnosis import failed
from devloop.model.report import Outcome, Readiness, Report, Status
from devloop.output import FORMATS

NASTY = 'a "b" <c> & 100%\nnext\x1b[31m'


def finding(
    rule: str = "graph/path-missing", severity: Severity = Severity.ERROR, path: str = "k8s/a.yaml", line: int = 3, **more: object
) -> Diagnostic:
    return Diagnostic("the path is gone", Location(path, line), severity=severity, rule=rule, **more)  # type: ignore[arg-type]


def kustomization(name: str, environment: str, reason: str = "Built") -> Readiness:
    return Readiness("flux-system", name, reason != "BuildFailed", reason, "3 objects", "", environment=environment)


REPORT = Report(
    "validate",
    "dev, prod",
    steps=(Outcome(Status.UNCHANGED, "2 Kustomizations", title="dev"),),
    kustomizations=(kustomization("apps", "dev"), kustomization("apps", "prod", "BuildFailed"), kustomization("far", "prod", "NotHere")),
    findings=(
        finding(hint="paths count from k8s/", scopes=(Scope("dev", "flux-system/apps"), Scope("prod", "flux-system/apps"))),
        finding("labels/required", Severity.INFO, scopes=(Scope("dev", "flux-system/apps"),)),
        finding("secrets/plaintext", Severity.WARNING, "b,c:d.yaml", 0),
        finding("definition/questionable", Severity.INFO, "ksail.yaml", scopes=(Scope("prod"),)),
    ),
)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes_and_ends_its_last_line(name: str) -> None:
    texts = {FORMATS[name].write(REPORT) for _ in range(3)}
    assert len(texts) == 1
    assert texts.pop().endswith("\n")


PATCHED = finding(hint="write a tag", related=(Related("k8s/base/web.yaml", 14, "a patch for the object"),))


def test_every_format_has_the_object_and_the_patch() -> None:
    report = Report("validate", "dev", findings=(PATCHED,))
    expected = "the path is gone%0Anote: a patch for the object in k8s/base/web.yaml:14%0Ahint: write a tag"
    assert f"::error file=k8s/a.yaml,line=3,title=graph/path-missing::{expected}" in FORMATS["github"].write(report)
    assert "\n  note: a patch for the object in k8s/base/web.yaml:14\n  hint: write a tag" in FORMATS["junit"].write(report)
    [finding_] = json.loads(FORMATS["json"].write(report))["findings"]
    assert finding_["related"] == [{"path": "k8s/base/web.yaml", "line": 14, "message": "a patch for the object"}]
    [result] = json.loads(FORMATS["sarif"].write(report))["runs"][0]["results"]
    place = {"artifactLocation": {"uri": "k8s/base/web.yaml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 14}}
    assert result["relatedLocations"] == [{"id": 1, "message": {"text": "a patch for the object"}, "physicalLocation": place}]


PLACED = Cause(
    "pod/crash",
    ObjectRef("Deployment", "shop", "web"),
    "exited",
    path="k8s/patch.yaml",
    line=9,
    related=(Related("k8s/web.yaml", 14, "a patch for the object"),),
)


def test_every_format_has_the_place_of_a_cause() -> None:
    report = Report("up", "dev", causes=(PLACED,))
    expected = "Deployment/shop/web: exited%0Anote: a patch for the object in k8s/web.yaml:14"
    assert f"::error file=k8s/patch.yaml,line=9,title=pod/crash::{expected}" in FORMATS["github"].write(report)
    assert "k8s/patch.yaml:9\nnote: a patch for the object in k8s/web.yaml:14" in FORMATS["junit"].write(report)
    [cause] = json.loads(FORMATS["json"].write(report))["causes"]
    assert (cause["path"], cause["line"]) == ("k8s/patch.yaml", 9)
    assert cause["related"] == [{"path": "k8s/web.yaml", "line": 14, "message": "a patch for the object"}]


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("write a tag", {"hint": "write a tag"}),
        (command("ls -ld", "a b"), {"hint": "ls -ld 'a b'", "command": ["ls", "-ld", "a b"]}),
        (shell("a | b"), {"hint": "a | b", "command": ["sh", "-c", "a | b"]}),
        (DevloopCommand("up", "dev"), {"hint": "devloop up dev", "command": ["devloop", "up", "dev"]}),
        (instructions("run `", DevloopCommand("up"), "`"), {"hint": "run `devloop up`"}),
    ],
)
def test_json_has_the_command_of_a_hint(hint: Hint, expected: dict[str, object]) -> None:
    step = Outcome(Status.FAILED, "no", hint, "cluster")
    report = Report("doctor", "dev", steps=(step,), findings=(finding(hint=hint),), diagnoses=(failed("git", "none", hint),))
    document = json.loads(FORMATS["json"].write(report))
    for item in (document["steps"][0], document["findings"][0], document["checks"][0]):
        assert {key: item[key] for key in ("hint", "command") if key in item} == expected


def test_json_has_the_arguments_of_a_message() -> None:
    missing = Diagnostic.of("the key {key!r} of {object} is missing", object="ConfigMap/shop/web", key="{a}", unused="x")
    [told] = json.loads(FORMATS["json"].write(Report("validate", "dev", findings=(missing,))))["findings"]
    assert told["message"] == "the key '{a}' of ConfigMap/shop/web is missing"
    assert told["arguments"] == {"key": "{a}", "object": "ConfigMap/shop/web"}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_an_empty_report(name: str) -> None:
    assert FORMATS[name].write(Report("validate", ""))


def test_github_gets_annotations_folded_by_file() -> None:
    assert FORMATS["github"].write(REPORT).splitlines() == [
        "::group::k8s/a.yaml",
        "::error file=k8s/a.yaml,line=3,title=graph/path-missing::the path is gone%0Ahint: paths count from k8s/",
        "::notice file=k8s/a.yaml,line=3,title=labels/required::the path is gone",
        "::endgroup::",
        "::group::b,c:d.yaml",
        "::warning file=b%2Cc%3Ad.yaml,title=secrets/plaintext::the path is gone",
        "::endgroup::",
        "::group::ksail.yaml",
        "::notice file=ksail.yaml,line=3,title=definition/questionable::the path is gone",
        "::endgroup::",
        "devloop validate: 1 error, 1 warning, 2 info",
    ]


def test_github_commands_stay_on_their_line() -> None:
    report = Report("up", "local", steps=(Outcome(Status.FAILED, NASTY, "::error::no", "reconcile"),))
    lines = FORMATS["github"].write(report).splitlines()
    assert lines[0] == '::error title=reconcile::a "b" <c> & 100%25%0Anext\x1b[31m%0Ahint: ::error::no'
    assert len(lines) == 2


def test_junit_has_a_suite_per_environment_and_a_case_per_kustomization_and_family() -> None:
    document = Xml.fromstring(FORMATS["junit"].write(REPORT))
    assert {(s.get("name"), s.get("tests"), s.get("failures"), s.get("skipped")) for s in document} == {
        ("dev", "3", "1", "0"),
        ("prod", "7", "2", "3"),
        ("repository", "1", "0", "0"),
    }
    cases = {(case.get("classname"), case.get("name")): case for case in document.iter("testcase")}
    failure = cases["dev.flux-system/apps", "graph"].find("failure")
    assert failure is not None and failure.get("type") == "graph/path-missing"
    assert failure.text == "k8s/a.yaml:3: error: the path is gone [graph/path-missing]\n  hint: paths count from k8s/"
    assert cases["dev.flux-system/apps", "labels"].find("failure") is None
    assert "labels/required" in (cases["dev.flux-system/apps", "labels"].findtext("system-out") or "")
    assert cases["prod.flux-system/apps", "build"].find("failure") is not None
    assert cases["prod.flux-system/far", "graph"].find("skipped") is not None
    assert "definition/questionable" in (cases["prod", "definition"].findtext("system-out") or "")
    assert "secrets/plaintext" in (cases["repository", "secrets"].findtext("system-out") or "")


def test_junit_replaces_control_characters() -> None:
    report = Report("validate", "dev", findings=(Diagnostic(NASTY, Location(NASTY, 1), NASTY, Severity.ERROR, rule="build/failed"),))
    [failure] = Xml.fromstring(FORMATS["junit"].write(report)).iter("failure")
    assert failure.get("message") == 'a "b" <c> & 100%\nnext\ufffd[31m'


def test_junit_of_a_run_has_its_steps() -> None:
    steps = (
        Outcome(Status.CHANGED, title="cluster", seconds=1.5),
        Outcome(Status.FAILED, "no", "fix it", "reconcile"),
        Outcome(Status.SKIPPED, title="x"),
    )
    document = Xml.fromstring(FORMATS["junit"].write(Report("up", "local", steps=steps)))
    cases = [
        (case.get("classname"), case.get("name"), case.get("time"), [child.tag for child in case]) for case in document.iter("testcase")
    ]
    assert cases == [
        ("local.steps", "cluster", "1.500", []),
        ("local.steps", "reconcile", "0.000", ["failure"]),
        ("local.steps", "x", "0.000", ["skipped"]),
    ]


def test_sarif_has_rules_and_locations() -> None:
    [run] = json.loads(FORMATS["sarif"].write(REPORT))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [f.rule for f in REPORT.findings]
    assert [result["level"] for result in run["results"]] == ["error", "note", "warning", "note"]
    place = run["results"][2]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "b%2Cc%3Ad.yaml", "uriBaseId": "%SRCROOT%"}}


def test_a_fingerprint_stays_when_lines_move() -> None:
    def prints(line: int) -> object:
        log = json.loads(FORMATS["sarif"].write(Report("validate", "dev", findings=(finding(line=line),))))
        return log["runs"][0]["results"][0]["partialFingerprints"]

    assert prints(3) == prints(30)
