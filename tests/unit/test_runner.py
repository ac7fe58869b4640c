"""Steps run when what they need is done; errors become outcomes; an interruption still ends with a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.diagnostic import Diagnostic
from devloop.errors import DevloopError, InputError
from devloop.model.report import Event, Outcome, Report, Status, StepFinished, StepStarted
from devloop.plan import Plan, plan_up
from devloop.runner import Result, recorded, run
from devloop.steps import Output

DONE = Outcome(Status.CHANGED)


@dataclass(frozen=True)
class Step:
    title: str
    work: Callable[[Any], Outcome] = lambda _: DONE
    needs: tuple[Step, ...] = ()

    def run(self, session: Any) -> Outcome:
        return self.work(session)


def execute(*steps: Step, stop: threading.Event | None = None) -> tuple[bool, Result, list[Event]]:
    events: list[Event] = []
    result = Result()
    session: Any = SimpleNamespace(emit=recorded(result, events.append), stop=stop or threading.Event())
    run(Plan(steps), session, result)
    return Report("up", "local", steps=tuple(result.outcomes), failure=result.failure).ok, result, events


def fail(error: Exception) -> Callable[[Any], Outcome]:
    def work(_: Any) -> Outcome:
        raise error

    return work


def test_a_step_starts_after_those_that_it_needs() -> None:
    ok, _, events = execute(*(ground := (Step("a"), Step("b"))), Step("c", needs=ground))
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


def test_what_needs_a_failed_step_is_skipped_and_the_rest_goes_on() -> None:
    a = Step("a", fail(DevloopError("no", hint="try b")))
    b = Step("b", needs=(a,))
    ok, result, _ = execute(a, b, Step("c"), Step("d", needs=(b,)))
    assert not ok
    assert {o.title: (o.status, o.ran, str(o.hint), o.waited_for) for o in result.outcomes} == {
        "a": (Status.FAILED, True, "try b", ()),
        "b": (Status.SKIPPED, False, "", ("a",)),
        "c": (Status.CHANGED, True, "", ()),
        "d": (Status.SKIPPED, False, "", ("b",)),
    }
    assert result.failure == 0


def test_a_plan_that_did_not_finish_is_never_ok() -> None:
    assert not Report("up", "local", steps=(DONE, Outcome(Status.SKIPPED, ran=False))).ok
    assert Report("up", "local", steps=(DONE, Outcome(Status.SKIPPED, "no Age key"))).ok


def test_a_need_that_the_plan_does_not_have_before_is_a_bug() -> None:
    a = Step("a")
    b = Step("b", needs=(a,))
    for steps in ((b,), (b, a), (a, a)):
        with pytest.raises(ValueError, match=r"needs a|called a"):
            Plan(steps)


@pytest.mark.parametrize("options", [{}, {"validate": False}, {"recreate": True}, {"allow_remote": True}])
def test_the_plan_of_up_is_sound(options: dict[str, bool]) -> None:
    titles = [step.title for step in plan_up(Output(), 60.0, **options)]
    assert titles[:2] == ["toolchain", "repository"]
    assert titles[-1] == "reconcile"
    assert titles.index("snapshot") < titles.index("cluster")


@pytest.mark.parametrize(("recreate", "first"), [(False, ["toolchain"]), (True, ["validation", "snapshot", "tools", "secrets", "delete"])])
def test_a_stopped_cluster_starts_at_once_and_gets_nothing_before_all_is_checked(recreate: bool, first: list[str]) -> None:
    needs = {step.title: [need.title for need in step.needs] for step in plan_up(Output(), 60.0, resumes=True, recreate=recreate)}
    assert needs["cluster"] == needs["git server"] == first
    assert {"validation", "snapshot", "tools", "secrets"} <= set(needs["flux"]) & set(needs["push"]) & set(needs["images"])


def test_bad_input_is_reported_with_its_findings_and_starts_nothing_more() -> None:
    problems = [Diagnostic.at("k8s/a.yaml", 3, "first"), Diagnostic.at("k8s/b.yaml", 4, "second")]
    a = Step("a", fail(InputError.of(problems)))
    ok, result, _ = execute(a, Step("b", needs=(a,)))
    assert not ok
    assert result.failure == 2
    assert [(f.path, f.line, f.message) for f in result.findings] == [("k8s/a.yaml", 3, "first"), ("k8s/b.yaml", 4, "second")]


def test_a_bug_leaves_its_traceback_in_a_file_without_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    _, result, _ = execute(Step("a", fail(ValueError("a-secret-value"))))
    assert result.failure == 3
    log = tmp_path / "devloop" / "crash.log"
    assert str(log) in str(result.outcomes[0].hint)
    assert "ValueError" in log.read_text()
    assert "a-secret-value" not in log.read_text() + result.outcomes[0].message
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_interruption_waits_for_steps_that_heed_it_and_starts_no_others() -> None:
    stop = threading.Event()

    def heeding(session: Any) -> Outcome:
        stop.set()
        session.stop.wait(5)
        return DONE

    a = Step("a", heeding)
    ok, result, _ = execute(a, Step("b", needs=(a,)), stop=stop)
    assert not ok
    assert result.failure == 130
    assert [(o.title, o.ran) for o in result.outcomes] == [("a", True), ("b", False)]
