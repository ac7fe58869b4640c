"""Text for people, and JSON alone on standard output."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from devloop.console import Console
from devloop.console.live import View
from devloop.diagnostic import Diagnostic, Location, Related, Severity, Snippet
from devloop.errors import InputError
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.doctor.diagnosis import failed, ok, warning
from devloop.model.report import Found, Notice, Outcome, Progress, Readiness, Reconciling, Report, Status, StepFinished

from .test_wrapping import plain

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
)


CAUSE = Cause("pod/crash", ObjectRef("Deployment", "shop", "x"), "no", "flux-system/apps", final=True, log=("the last line",))


BLOCKED = Readiness("flux-system", "web", False, "DependencyNotReady", "dependency is not ready", "", ("flux-system/apps",))


def report(**more: object) -> Report:
    steps = (Outcome(Status.FAILED, "2 of 3 are not ready", "fix it", "reconcile", 1.25),)
    return Report("up", "local", "embedded", "main@sha1:abc", steps, (READY, FAILED, BLOCKED), causes=(CAUSE,), **more)  # type: ignore[arg-type]


def test_the_report_shows_ready_failed_and_blocked_kustomizations_and_hints(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(report())
    text = capsys.readouterr().out
    assert "local: 1 of 3 Kustomizations ready" in text
    assert "✓ flux-system/infra  3 objects  0.4 s" in text
    assert "✗ flux-system/apps  BuildFailed: kustomize build failed" in text
    assert "Deployment/shop/x: no  pod/crash" in text
    assert "the last line" in text
    assert "flux-system/apps blocks flux-system/web" in text
    assert "hint: fix it" in text
    assert "devloop up local" in text


def test_a_cause_has_its_place_with_the_lines_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    snippet = Snippet(8, ("containers:", "  - image: x", "    args: []"), 9, 4, 12)
    related = (Related("k8s/web.yaml", 14, "a patch for the object"),)
    cause = replace(CAUSE, path="k8s/patch.yaml", line=9, snippet=snippet, related=related)
    console = Console()
    console.show(replace(report(), causes=(cause,)))
    lines = [line.strip("│├└─ ") for line in capsys.readouterr().out.splitlines()]
    start = lines.index("k8s/patch.yaml:9")
    assert lines[start + 1 : start + 7] == [
        "8 | containers:",
        ">  9 |   - image: x",
        "|     ^^^^^^^^",
        "10 |     args: []",
        "note: a patch for the object in k8s/web.yaml:14",
        "the last line",
    ]


class Clock:
    """Time that passes only in `sleep`, in place of `time` and `threading`: beats come in the test's own thread."""

    def __init__(self) -> None:
        self.now = self._until = 0.0
        self._is_set = False

    def monotonic(self) -> float:
        return self.now

    def Thread(self, target: Callable[[], None], **_: object) -> Clock:  # noqa: N802 (the name in `threading`)
        self._run = target
        return self

    def Event(self) -> Clock:  # noqa: N802 (the name in `threading`)
        return self

    def start(self) -> None:
        pass

    def set(self) -> None:
        self._is_set = True

    def wait(self, seconds: float) -> bool:
        """Also ends a beat's wait when the sleep is over; the next sleep continues it."""
        ends = self._is_set or self.now + seconds > self._until
        self.now = self._until if ends else self.now + seconds
        return ends

    def sleep(self, seconds: float) -> None:
        self._until += seconds
        self._run()


def test_json_is_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("json")
    with console:
        console.emit(Notice("careful", Severity.WARNING))
        console.emit(StepFinished(Outcome(Status.CHANGED, title="cluster")))
        console.emit(Reconciling((READY,)))
    console.show(report(findings=(Diagnostic("a cycle", Location("a.yaml", 3), severity=Severity.ERROR, rule="graph/cycle"),)))
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    fields = "schemaVersion command environment provisioner revision ok steps kustomizations causes findings timeline"
    assert list(document) == fields.split()
    assert document["ok"] is False
    assert list(document["steps"][0]) == ["title", "status", "seconds", "message", "hint", "waitedFor"]
    keys = ["environment", "namespace", "name", "ready", "reason", "message", "revision", "dependsOn", "seconds"]
    assert list(document["kustomizations"][0]) == keys
    keys = ["rule", "severity", "path", "line", "message", "arguments", "hint", "object", "related", "environments", "kustomizations"]
    assert list(document["findings"][0]) == keys
    assert "careful" in captured.err
    assert "cluster" in captured.err


def test_markup_in_messages_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.emit(Notice("[red]not a colour[/red] [/nor this]"))
    failed = Readiness("ns", "x", False, "Failed", "[/oops]", "", terminal=True)
    cause = Cause("pod/crash", ObjectRef("Deployment", "shop", "x"), "[/oops]", "ns/x")
    found = Diagnostic("[/y]", Location("[x]", 1), "[/z]", Severity.INFO, rule="r")
    console.show(Report("up", "local", kustomizations=(failed,), findings=(found,), causes=(cause,)))
    text = capsys.readouterr().out
    assert "[red]not a colour[/red] [/nor this]" in text
    assert text.count("[/oops]") == 2


def test_plain_output_shows_progress_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for percent in range(101):
        console.emit(Progress("toolchain", "etcd", percent / 100, 20.0 - percent / 5))
    console.emit(Progress("toolchain", "etcd", 1.0, done=True))
    lines = capsys.readouterr().out.splitlines()
    assert 4 <= len(lines) <= 8
    assert "etcd: done" in lines[-1]


def test_all_problems_of_a_file_are_shown_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Diagnostic.at("ksail.yaml", 3, "unknown key a", "did you mean b?"), Diagnostic.at("ksail.yaml", 5, "unknown key c")]
    Console().error(InputError.of(problems))
    captured = capsys.readouterr()
    assert "2 problems in ksail.yaml" in captured.err
    assert "ksail.yaml:3" in captured.err
    assert "did you mean b?" in captured.err
    assert "ksail.yaml:5" in captured.err


def test_github_gets_annotations(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Console().show(
        Report("validate", "", findings=(Diagnostic("a cycle", Location("a.yaml", 3), severity=Severity.ERROR, rule="graph/cycle"),))
    )
    assert "::error file=a.yaml,line=3,title=graph/cycle::a cycle" in capsys.readouterr().out
    Console().show(replace(report(), causes=(CAUSE, replace(CAUSE, path="b.yaml", line=7))))
    text = capsys.readouterr().out
    assert text.count("::error") == 1
    assert "::error file=b.yaml,line=7,title=pod/crash::Deployment/shop/x: no" in text


@pytest.mark.parametrize(("seconds", "follows", "lines"), [(0.2, False, 1), (0.2, True, 2), (3.0, False, 2)])
def test_what_is_ready_at_once_is_shown_once(seconds: float, follows: bool, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(view=View(follows=follows))
    ready = replace(READY, seconds=seconds)
    console.emit(Reconciling((ready,)))
    console.show(Report("status", "local", kustomizations=(ready,)))
    assert capsys.readouterr().out.count("flux-system/infra") == lines


def test_the_doctor_aligns_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    diagnoses = (
        ok("git", "2.39"),
        warning("capabilities", "few", "do this"),
        failed("keys", "none", "do that"),
        failed("keys", "bad", "x"),
    )
    Console().show(Report("doctor", "local", diagnoses=diagnoses))
    assert capsys.readouterr().out.splitlines() == [
        "✓ git           2.39",
        "! capabilities  few",
        "                hint: do this",
        "✗ keys          none",
        "                hint: do that",
        "✗               bad",
        "                hint: x",
        "✗ 2 of 4 checks failed, 1 warning",
    ]


def test_the_doctors_json_has_its_checks(capsys: pytest.CaptureFixture[str]) -> None:
    Console("json").show(Report("doctor", "local", diagnoses=(failed("keys", "none", "do that"),)))
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["checks"] == [{"check": "keys", "status": "failed", "message": "none", "hint": "do that"}]


def test_equal_failures_are_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = [Outcome(Status.FAILED, "no engine", "start it", title) for title in ("images", "cluster")]
    other = Outcome(Status.FAILED, "no disk", "df -h", "git server")
    Console().show(Report("up", "local", steps=(*failed, other)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ["error: images, cluster: no engine", "hint: start it", "error: git server: no disk", "hint: df -h"]


def test_an_interrupted_run_says_how_to_continue(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(report(failure=130))
    assert plain(capsys.readouterr().out)[-2:] == ["interrupted", "  continue: devloop up local"]


def test_findings_are_shown_when_they_are_found_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    finding = Diagnostic("a cycle", Location("a.yaml", 3), severity=Severity.WARNING, rule="graph/cycle")
    console.emit(Found((finding,)))
    assert "a cycle" in capsys.readouterr().out
    console.show(report(findings=(finding, replace(finding, message="another cycle"))))
    text = capsys.readouterr().out
    assert "another cycle" in text
    assert "warning  a cycle" not in text


def test_a_cause_that_lasts_is_shown_once_while_the_run_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console, clock = Console(), [0.0]
    monkeypatch.setattr("devloop.console.live.time.monotonic", lambda: clock[0])
    slow = Cause("pod/not-ready", ObjectRef("Deployment", "shop", "z"), "its probe fails")
    vague = Cause("workload/not-available", ObjectRef("Deployment", "shop", "y"), "0 of 1 available")
    for clock[0] in (0.0, 0.5):
        console.emit(Reconciling((READY,), (CAUSE, vague, slow)))
    assert "Deployment/shop/x" not in capsys.readouterr().out
    for clock[0] in (1.5, 2.0, 3.0):
        console.emit(Reconciling((READY,), (replace(CAUSE, path="web.yaml", line=7), vague, slow)))
    text = capsys.readouterr().out
    assert text.count("Deployment/shop/x: no  pod/crash\n  web.yaml:7\n") == 1
    assert "not-available" not in text
    assert "its probe fails" not in text
    clock[0] = 11.0
    console.emit(Reconciling((READY,), (CAUSE, vague, slow)))
    assert "its probe fails" in capsys.readouterr().out
