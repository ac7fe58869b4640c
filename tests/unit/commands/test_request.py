"""What a run tells its user passes the last filter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop.commands.request import Request, open_session, redacted
from devloop.diagnostic import Diagnostic, Location, Related, Severity, Snippet
from devloop.errors import DevloopError
from devloop.hint import command, instructions
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.report import Event, Found, Notice, Outcome, Readiness, Reconciling, Status, StepFinished

VALUE = "hunter2-x"
STATE = Readiness("flux-system", "apps", False, "Failed", f"bad {VALUE}", "")
CAUSE = Cause("pod/crash", ObjectRef("Deployment", "shop", "web"), f"also {VALUE}", hint=f"see {VALUE}", log=(f"it was {VALUE}",))
FOUND = Diagnostic(
    f"it is {VALUE}",
    Location("a.yaml", 1, "ConfigMap", VALUE),
    instructions("see ", command("grep", VALUE)),
    related=(Related("b.yaml", 1, VALUE),),
    arguments={"value": VALUE},
    snippet=Snippet(1, (f"a: {VALUE}",), 1, 0, 12),
)
EVENTS: Sequence[Event] = (
    StepFinished(Outcome(Status.FAILED, VALUE, f"try {VALUE}")),
    Reconciling((STATE,), (CAUSE,)),
    Notice(VALUE, Severity.ERROR, VALUE),
    Found((FOUND,)),
)


class Stub:
    def __init__(self, *, starts: bool = True) -> None:
        self.starts = starts

    def redact(self, texts: Sequence[str], paths: Sequence[str] = ()) -> list[str]:
        if not self.starts:
            raise DevloopError("an identity cannot be parsed")
        return [text.replace(VALUE, "***") for text in texts]


def shown(worker: Stub) -> list[Event]:
    seen: list[Event] = []
    session: Any = SimpleNamespace(has_worker=True, stop=threading.Event(), worker=worker)
    for event in EVENTS:
        redacted(session, seen.append)(event)
    return seen


def test_no_event_has_a_value_of_a_secret() -> None:
    seen = shown(Stub())
    assert [type(event) for event in seen] == [type(event) for event in EVENTS]
    assert VALUE not in repr(seen)


def test_after_an_interruption_nothing_is_shown_that_nobody_can_check() -> None:
    seen: list[Event] = []
    stop = threading.Event()
    stop.set()
    session: Any = SimpleNamespace(has_worker=True, stop=stop, worker=Stub(starts=False))
    skipped = StepFinished(Outcome(Status.SKIPPED, "the run ended first", title="push"))
    for event in (*EVENTS[1:], skipped):
        redacted(session, seen.append)(event)
    assert seen == [skipped]


def test_a_worker_that_does_not_start_hides_no_event() -> None:
    assert shown(Stub(starts=False)) == list(EVENTS)


def test_what_still_waits_ends_with_a_run_that_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed pipe, for example."""
    monkeypatch.setattr("devloop.commands.request.open_provisioner", lambda *_: None)
    environment: Any = SimpleNamespace(name="local", root=Path())
    with pytest.raises(BrokenPipeError), open_session(Request(Path(), "local"), environment, [].append, "embedded") as session:
        raise BrokenPipeError
    assert session.stop.is_set()
