"""The summary of a job on GitHub."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.cli import run
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.report import Outcome, Readiness, Report, Status
from devloop.output.step_summary import MOST, to_markdown

NASTY = "a | b\n`c` <script> [x](y) @team ~~~"
WEB = ObjectRef("Deployment", "shop", "web")
CAUSE = Cause("pod/crash", WEB, f"exited {NASTY}", hint=DevloopCommand("up"), path="k8s/a|b.yaml", line=7, log=("~~~", "no db"))
READY = Readiness("flux-system", "apps", True, "Succeeded", "", "main@sha1:abc")
FAILED = Outcome(Status.FAILED, "1 of 2 Kustomizations is not ready", title="reconcile")
FINDING = Diagnostic("is gone", Location("k8s/b.yaml", 3), severity=Severity.ERROR, rule="graph/path-missing")


def report(**more: object) -> Report:
    return Report("up", "local", "embedded", "main@sha1:abc", **more)  # type: ignore[arg-type]


def test_a_healthy_run_is_two_lines() -> None:
    text = to_markdown(report(kustomizations=(READY,)))
    assert text == "### ✅ devloop up: local is healthy\n\n1 of 1 Kustomizations ready at <code>main@sha1:abc</code>\n"


def test_a_failed_run_says_what_and_why_at_file_and_line() -> None:
    text = to_markdown(report(steps=(FAILED,), causes=(CAUSE,), findings=(FINDING,)))
    assert text.startswith("### ❌ devloop up: local is not healthy\n\n- **reconcile**: 1 of 2 Kustomizations is not ready\n\n")
    assert "<code>k8s/a&#124;b.yaml:7</code> | <code>Deployment/shop/web</code> |" in text
    assert "hint: <code>devloop up</code> (<code>pod/crash</code>)" in text
    assert "| <code>k8s/b.yaml:3</code> | is gone | <code>graph/path-missing</code> |" in text


def test_no_text_can_break_out_of_its_cell_or_its_fence() -> None:
    lines = to_markdown(report(causes=(CAUSE,))).splitlines()
    [row] = [line for line in lines if "exited" in line]
    assert row.replace(r"\|", "").count("|") == 5
    assert "<script" not in row.replace(r"\<", "")
    assert "@team" not in row
    assert [line for line in lines if line.startswith("~~~")] == ["~~~text", "~~~"]


def test_a_thousand_causes_stay_below_githubs_limit() -> None:
    causes = tuple(Cause("pod/crash", ObjectRef("Deployment", "shop", f"web-{n}"), "x" * 300, log=("y" * 300,) * 50) for n in range(1000))
    text = to_markdown(report(causes=causes))
    assert len(text.encode()) < 1 << 20
    assert f"and {1000 - MOST} more" in text


def test_up_appends_its_summary_also_when_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary"
    summary.write_text("of an earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run(["-C", str(tmp_path), "up", "local"]) == 2
    assert summary.read_text().startswith("of an earlier step\n### ❌ devloop up: local is not healthy\n\n- **up**: no KSail definition in")
    before = summary.read_text()
    assert run(["-C", str(tmp_path), "status", "local"]) == 2
    assert summary.read_text() == before


def test_a_summary_that_cannot_be_written_is_said_and_changes_no_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert run(["-C", str(tmp_path), "up", "local"]) == 2
    assert f"cannot write {tmp_path}: Is a directory" in capsys.readouterr().err
