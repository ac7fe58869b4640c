"""What people read, and what programs read."""

from __future__ import annotations

import json

import pytest

from devloop.console import Console
from devloop.errors import InputError, Problem
from devloop.model.report import Finding, Notice, Outcome, Progress, Readiness, Reconciling, Report, Severity, Status, StepFinished

READY = Readiness("flux-system", "infra", True, "ReconciliationSucceeded", "Applied", "main@sha1:abc", objects=3, seconds=0.4)
FAILED = Readiness(
    "flux-system",
    "apps",
    False,
    "BuildFailed",
    "kustomize build failed",
    "",
    ("flux-system/infra",),
    terminal=True,
    causes=("Deployment/x: no",),
)
BLOCKED = Readiness("flux-system", "web", False, "DependencyNotReady", "dependency is not ready", "", ("flux-system/apps",))


def report(**more: object) -> Report:
    steps = (Outcome(Status.FAILED, "2 of 3 are not ready", "mend it", "reconcile", 1.25),)
    return Report("up", "local", "embedded", "main@sha1:abc", steps, (READY, FAILED, BLOCKED), **more)  # type: ignore[arg-type]


def test_the_end_says_what_is_ready_what_failed_what_it_blocks_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(report())
    text = capsys.readouterr().out
    assert "local: 1 of 3 Kustomizations ready" in text
    assert "✓ flux-system/infra  3 objects  0.4 s" in text
    assert "✗ flux-system/apps  BuildFailed: kustomize build failed" in text
    assert "Deployment/x: no" in text
    assert "flux-system/apps blocks flux-system/web" in text
    assert "hint: mend it" in text
    assert "devloop up local" in text


def test_json_is_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("json")
    with console:
        console.emit(Notice("careful", Severity.WARNING))
        console.emit(StepFinished(Outcome(Status.CHANGED, title="cluster")))
        console.emit(Reconciling((READY,)))
    console.show(report(findings=(Finding("graph/cycle", Severity.ERROR, "a.yaml", 3, "a cycle"),)))
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert list(document) == ["command", "environment", "provisioner", "revision", "ok", "steps", "kustomizations", "findings"]
    assert document["ok"] is False
    assert list(document["steps"][0]) == ["title", "status", "seconds", "message", "hint"]
    told = ["environment", "namespace", "name", "ready", "reason", "message", "revision", "dependsOn", "seconds"]
    assert list(document["kustomizations"][0]) == told
    told = ["rule", "severity", "path", "line", "message", "hint", "object", "environments", "kustomizations"]
    assert list(document["findings"][0]) == told
    assert "careful" in captured.err
    assert "cluster" in captured.err


def test_markup_in_messages_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.emit(Notice("[red]not a colour[/red] [/nor this]"))
    failed = Readiness("ns", "x", False, "Failed", "[/oops]", "", causes=("[/oops]",), terminal=True)
    console.show(Report("up", "local", kustomizations=(failed,), findings=(Finding("r", Severity.INFO, "[x]", 1, "[/y]", "[/z]"),)))
    text = capsys.readouterr().out
    assert "[red]not a colour[/red] [/nor this]" in text
    assert text.count("[/oops]") == 2


def test_progress_is_told_now_and_then_on_plain_output(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for percent in range(101):
        console.emit(Progress("toolchain", "etcd", percent / 100, 20.0 - percent / 5))
    console.emit(Progress("toolchain", "etcd", 1.0, done=True))
    lines = capsys.readouterr().out.splitlines()
    assert 4 <= len(lines) <= 8
    assert "etcd: done" in lines[-1]


def test_all_problems_of_a_file_are_shown_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem("ksail.yaml", 3, "unknown key a", "did you mean b?"), Problem("ksail.yaml", 5, "unknown key c")]
    Console().error(InputError.of(problems))
    captured = capsys.readouterr()
    assert "2 problems in ksail.yaml" in captured.err
    assert "ksail.yaml:3" in captured.err
    assert "did you mean b?" in captured.err
    assert "ksail.yaml:5" in captured.err


def test_github_gets_annotations(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Console().show(Report("validate", "", findings=(Finding("graph/cycle", Severity.ERROR, "a.yaml", 3, "a cycle"),)))
    assert "::error file=a.yaml,line=3,title=graph/cycle::a cycle" in capsys.readouterr().out
