"""The view of `watch`: a few lines per run."""

from __future__ import annotations

import pytest

from devloop.console import Console
from devloop.console.runs import RunsView
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.report import Outcome, Readiness, Reconciling, Report, RunEnded, RunStarted, Span, Status, StepFinished, StepStarted

READY = Readiness("flux-system", "apps", True, "ReconciliationSucceeded", "Applied", "main@sha1:abc", objects=3, seconds=0.4)
FAILED = Readiness("flux-system", "apps", False, "HealthCheckFailed", "timeout", "main@sha1:abc", terminal=True)
CAUSE = Cause("pod/crash", ObjectRef("Deployment", "shop", "web"), "exited", "flux-system/apps", True, path="a.yaml", line=3)
SPANS = (Span("push", "step", 0.1, 0.2, critical=True), Span("flux-system/apps", "Kustomization", 0.3, 0.5, critical=True))


def shown(capsys: pytest.CaptureFixture[str], *events: object) -> list[str]:
    console = Console(view=RunsView())
    for event in events:
        console.emit(event)  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


def test_a_run_is_the_files_and_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("watch", "local", "embedded", "main@sha1:abcdef0123", (), (READY,), timeline=SPANS)
    done = StepFinished(Outcome(Status.UNCHANGED, title="validation"))
    affected = StepFinished(Outcome(Status.UNCHANGED, "flux-system/apps", title="affected"))
    lines = shown(capsys, RunStarted(("k8s/a.yaml",)), StepStarted("validation"), done, affected, Reconciling((READY,)), RunEnded(report))
    assert lines[0].endswith("  k8s/a.yaml")
    assert lines[1:] == [
        "          affects flux-system/apps",
        "✓ flux-system/apps  3 objects  0.4 s",
        "✓ local is healthy at main@sha1:abcdef0  0.80 s",
    ]


def test_a_failure_has_its_causes_with_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    step = Outcome(Status.FAILED, "1 of 1 Kustomization is not ready", title="reconcile")
    report = Report("watch", "local", "embedded", "main@sha1:abc", (step,), (FAILED,), causes=(CAUSE,))
    text = "\n".join(shown(capsys, RunStarted(()), StepFinished(step), RunEnded(report)))
    assert "a.yaml:3" in text
    assert "✗ reconcile" in text
    assert text.endswith("✗ local is not healthy at main@sha1:abc  0.00 s")


def test_a_superseded_run_says_so_and_the_same_cause_is_shown_again_later(capsys: pytest.CaptureFixture[str]) -> None:
    run = (RunStarted(("a",)), Reconciling((FAILED,), (CAUSE,)), RunEnded(None))
    lines = shown(capsys, *run, *run)
    assert sum("superseded by a later edit" in line for line in lines) == 2
    assert sum("pod/crash" in line for line in lines) == 2


def test_a_watch_at_rest_waits_for_nothing() -> None:
    view = RunsView()
    assert view.waiting() is None
    view.take(RunStarted(("a",)))
    assert view.waiting() is not None
    view.take(RunEnded(None))
    assert view.waiting() is None
