"""The event stream: every line follows the schema, says each thing once, and is whole whatever happens to the file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from devloop.cli import run
from devloop.console import Console
from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.errors import ExitCode, InputError
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.report import (
    Event,
    Found,
    Notice,
    Outcome,
    Progress,
    Readiness,
    Reconciling,
    Report,
    RunEnded,
    RunStarted,
    Span,
    Status,
    StepFinished,
    StepStarted,
)
from devloop.output import json as reports
from devloop.output.event_file import EventFile
from devloop.output.events import SCHEMA, EventStream

OPEN: dict[str, Any] = json.loads(SCHEMA.read_text())
REGISTRY: Registry[Any] = Registry().with_resource("report.schema.json", Resource.from_contents(json.loads(reports.SCHEMA.read_text())))

STEP = Outcome(Status.FAILED, "no", DevloopCommand("up", "local"), "reconcile", 1.5)
WAITING = Readiness("flux-system", "apps", False, "Progressing", "building", "", ("flux-system/base",), 0.5)
FAILED = Readiness("flux-system", "apps", False, "BuildFailed", "no such file", "", ("flux-system/base",), 1.5, terminal=True)
CAUSE = Cause("pod/crash", ObjectRef("Deployment", "shop", "web"), "exited", "flux-system/apps", True, "see it", path="a.yaml", line=3)
SPAN = Span("flux-system/apps", "Kustomization", 0.5, 1.0, (("build", 0.5),), critical=True)
FINDING = Diagnostic("is gone", Location("k8s/a.yaml", 3), "write it", Severity.ERROR, rule="graph/path-missing")
EVENTS: Sequence[Event] = (
    StepStarted("reconcile"),
    Progress("tools", "etcd", 0.5, 3.0),
    Progress("tools", "kind"),
    Progress("tools", "etcd", 1.0, 0.0, done=True),
    Notice("look", Severity.WARNING, DevloopCommand("status")),
    Found((FINDING,)),
    Reconciling((WAITING,)),
    Reconciling((FAILED,), (CAUSE,)),
    StepFinished(STEP),
    RunStarted(("a.yaml",)),
    RunEnded(None),
)
REPORT = Report("up", "local", "embedded", "main@sha1:abc", (STEP,), (FAILED,), (FINDING,), causes=(CAUSE,), timeline=(SPAN,))


def problems(line: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(OPEN, registry=REGISTRY).iter_errors(line)]


def written(events: Sequence[Event], report: Report = REPORT) -> list[dict[str, Any]]:
    lines: list[str] = []
    stream = EventStream(lines.append, "up", "local")
    for event in events:
        stream.take(event)
    stream.end(report)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    return [json.loads(line) for line in lines]


def test_every_line_follows_the_schema_and_the_schema_has_every_event() -> None:
    lines = written(EVENTS)
    assert [problem for line in lines for problem in problems(line)] == []
    assert {line["event"] for line in lines} == set(OPEN["$defs"])
    assert {each["$ref"].rpartition("/")[2] for each in OPEN["oneOf"]} == set(OPEN["$defs"])


@pytest.mark.parametrize("change", [{"event": "other"}, {"ok": "yes"}, {"exitCode": None}, {"time": 3}])
def test_the_schema_refuses_other_lines(change: dict[str, object]) -> None:
    Draft202012Validator.check_schema(OPEN)
    assert problems(written([])[-1] | change)


def test_the_first_line_says_what_runs_and_the_last_how_it_ended() -> None:
    first, *_, last = written(EVENTS)
    assert (first["event"], first["schemaVersion"], first["command"], first["environment"]) == ("start", "1.0", "up", "local")
    assert (last["event"], last["ok"], last["exitCode"], last["verdict"]) == ("end", False, 1, "local is not healthy")


def test_what_did_not_change_is_not_said_again() -> None:
    later = Readiness("flux-system", "apps", False, "Progressing", "building", "", ("flux-system/base",), 2.5)
    lines = written([Reconciling((WAITING,)), Reconciling((later,)), Reconciling((FAILED,), (CAUSE,)), Reconciling((FAILED,), (CAUSE,))])
    said = [(line["event"], line.get("reason")) for line in lines if line["event"] in ("kustomization", "causes")]
    assert said == [("kustomization", "Progressing"), ("kustomization", "BuildFailed"), ("causes", None)]


def test_causes_that_are_gone_are_an_empty_list() -> None:
    lines = written([Reconciling((), (CAUSE,)), Reconciling(())], Report("up", "local"))
    assert [len(line["causes"]) for line in lines if line["event"] == "causes"] == [1, 0]


def test_a_line_that_is_found_later_is_said() -> None:
    without = replace(CAUSE, path="", line=0)
    lines = written((Reconciling((FAILED,), (without,)), Reconciling((FAILED,), (without,)), Reconciling((FAILED,), (CAUSE,))))
    assert [line["causes"][0]["line"] for line in lines if line["event"] == "causes"] == [0, 3]


def test_progress_is_at_most_a_line_per_percent() -> None:
    events = [Progress("tools", "etcd", n / 1000) for n in range(20)]
    assert len([line for line in written(events) if line["event"] == "progress"]) == 2


def test_an_error_without_events_is_in_the_stream_too() -> None:
    lines = written([])
    assert [line["event"] for line in lines] == ["start", "step-finished", "finding", "kustomization", "causes", "timeline", "end"]


def test_bytes_that_are_no_text_are_escaped() -> None:
    [_, notice, _] = written([Notice("a\udc80\n\u2028b")], Report("up", "local"))
    assert notice["message"] == "a\udc80\n\u2028b"


# -- where they go ----------------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_and_every_line_is_there_at_once(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("of an earlier run\n")
    file = EventFile(str(tmp_path / "events"))
    file.write("one\n")
    assert (tmp_path / "events").read_text() == "one\n"


def test_a_line_that_does_not_fit_leaves_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: the first bytes fit."""
    file = EventFile(str(tmp_path / "events"))
    file.write("one\n")
    write, parts = os.write, iter([2])

    def full(descriptor: int, data: bytes) -> int:
        if size := next(parts, 0):
            return write(descriptor, data[:size])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            file.write("two\n")
    assert (tmp_path / "events").read_text() == "one\n"


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="it is a pipe that nobody reads"):
        EventFile(str(tmp_path / "pipe"))


def test_a_named_pipe_gets_every_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    EventFile(str(tmp_path / "pipe")).write("one\n")
    assert os.read(reader, 100) == b"one\n"
    os.close(reader)


@pytest.mark.parametrize(("target", "hint"), [("missing/events", "mkdir -p missing"), (".", "ls -ld .")])
def test_a_file_that_cannot_be_opened_is_refused(target: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot write events to") as error:
        EventFile(target)
    assert str(error.value.hint) == hint


def test_the_run_goes_on_without_a_reader_and_ends_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    console = Console()
    console.events.open(lambda: EventStream(EventFile(f"/dev/fd/{writing}").write, "up", "local"))
    os.close(reading)
    threads = [threading.Thread(target=console.emit, args=(Notice(f"notice {number}"),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(writing)
    out = capsys.readouterr().out
    assert out.count("error: the run goes on without --events: Broken pipe") == 1
    assert all(f"notice {number}" in out for number in range(5))
    assert console.events.failure is ExitCode.UNHEALTHY


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_is_an_error_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "up", "local", "--events", "/dev/full"]) == 2
    captured = capsys.readouterr()
    assert "error: the run goes on without --events: No space left on device" in captured.out
    assert "no KSail definition in" in captured.err


# -- the option -------------------------------------------------------------------------------------------------------------------


def test_standard_output_has_events_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "up", "local", "--events", "-"]) == 2
    captured = capfd.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["event"] for line in lines] == ["start", "step-finished", "end"]
    assert (lines[-1]["exitCode"], lines[-1]["ok"]) == (2, False)
    assert "no KSail definition in" in captured.err


def test_events_and_a_report_cannot_share_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "up", "local", "--events", "-", "--output", "json"]) == 2
    captured = capfd.readouterr()
    assert "--events - and --output need standard output both" in captured.err
    assert "hint: --output-file FILE" in captured.err
    assert json.loads(captured.out)["ok"] is False
    both = ["--output", "json", "--output-file", str(tmp_path / "report.json")]
    assert run(["-C", str(tmp_path), "up", "local", "--events", "-", *both]) == 2
    assert json.loads(capfd.readouterr().out.splitlines()[0])["event"] == "start"
    assert run(["-C", str(tmp_path), "up", "local", "--events", str(tmp_path / "report.json"), *both]) == 2
    assert "--events and --output-file are both" in capfd.readouterr().err


def test_a_file_of_the_working_tree_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.system(f"git init -q {tmp_path}")
    (tmp_path / ".gitignore").write_text("/ignored\n")
    (tmp_path / "ksail.yaml").write_text("kind: [\n")
    for name, message in (("events", "is part of the working tree"), ("ignored", "ksail.yaml"), (".git/events", "ksail.yaml")):
        assert run(["-C", str(tmp_path), "up", "local", "--events", str(tmp_path / name)]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "events").exists()
    assert (tmp_path / "ignored").exists()


def test_each_run_of_a_watch_has_its_own_findings_and_its_timeline_once() -> None:
    run = (RunStarted(("a.yaml",)), Found((FINDING,)), RunEnded(REPORT))
    kinds = [line["event"] for line in written((*run, *run))]
    assert kinds.count("finding") == 2
    assert kinds.count("timeline") == 1
    ended = [line for line in written((*run, RunStarted(()), RunEnded(None))) if line["event"] == "run-ended"]
    assert [(each["superseded"], each["ok"]) for each in ended] == [(False, False), (True, False)]
