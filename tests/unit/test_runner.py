"""Steps run when what they need is done; errors become outcomes; an interruption still ends with a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.errors import DevloopError, InputError, Problem
from devloop.model.report import Event, Outcome, Status, StepFinished, StepStarted
from devloop.runner import Result, recorded, run

DONE = Outcome(Status.CHANGED)


@dataclass(frozen=True)
class Step:
    title: str
    work: Callable[[Any], Outcome] = lambda _: DONE
    needs: tuple[str, ...] = ()

    def run(self, session: Any) -> Outcome:
        return self.work(session)


def execute(*steps: Step, stop: threading.Event | None = None) -> tuple[bool, Result, list[Event]]:
    events: list[Event] = []
    result = Result()
    session: Any = SimpleNamespace(emit=recorded(result, events.append), stop=stop or threading.Event())
    return run(steps, session, result), result, events


def fail(error: Exception) -> Callable[[Any], Outcome]:
    def work(_: Any) -> Outcome:
        raise error

    return work


def test_a_step_starts_after_those_that_it_needs() -> None:
    ok, _, events = execute(Step("c", needs=("a", "b")), Step("a"), Step("b"))
    assert ok
    told = [
        (type(e), e.title if isinstance(e, StepStarted) else e.outcome.title) for e in events if isinstance(e, StepStarted | StepFinished)
    ]
    assert told.index((StepStarted, "c")) > max(told.index((StepFinished, "a")), told.index((StepFinished, "b")))


def test_independent_steps_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(_: Any) -> Outcome:
        meeting.wait()
        return DONE

    assert execute(Step("a", meet), Step("b", meet))[0]


def test_what_needs_a_failed_step_is_left_out_and_the_rest_goes_on() -> None:
    ok, result, _ = execute(Step("a", fail(DevloopError("no", hint="try b"))), Step("b", needs=("a",)), Step("c"))
    assert not ok
    assert {o.title: (o.status, o.hint) for o in result.outcomes} == {"a": (Status.FAILED, "try b"), "c": (Status.CHANGED, "")}
    assert result.failure == 0


def test_bad_input_is_told_with_its_findings_and_starts_nothing_more() -> None:
    problems = [Problem("k8s/a.yaml", 3, "first"), Problem("k8s/b.yaml", 4, "second")]
    ok, result, _ = execute(Step("a", fail(InputError.of(problems))), Step("b", needs=("a",)))
    assert not ok
    assert result.failure == 2
    assert [(f.path, f.line, f.message) for f in result.findings] == [("k8s/a.yaml", 3, "first"), ("k8s/b.yaml", 4, "second")]


def test_a_bug_leaves_its_traceback_in_a_file_without_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    _, result, _ = execute(Step("a", fail(ValueError("a-secret-value"))))
    assert result.failure == 3
    log = tmp_path / "devloop" / "crash.log"
    assert str(log) in result.outcomes[0].hint
    assert "ValueError" in log.read_text()
    assert "a-secret-value" not in log.read_text() + result.outcomes[0].message
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_interruption_waits_for_steps_that_heed_it_and_starts_no_others() -> None:
    stop = threading.Event()

    def heeding(session: Any) -> Outcome:
        stop.set()
        session.stop.wait(5)
        return DONE

    ok, result, _ = execute(Step("a", heeding), Step("b", needs=("a",)), stop=stop)
    assert not ok
    assert result.failure == 130
    assert [o.title for o in result.outcomes] == ["a"]
