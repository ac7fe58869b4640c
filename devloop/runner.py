"""Runs a plan: each step as soon as the steps it needs are done, side by side where they allow it; errors become outcomes."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from devloop.clients.signals import handle_signals
from devloop.clients.xdg import state_folder
from devloop.diagnostic import Diagnostic
from devloop.errors import DevloopError, ExitCode, InputError, Interrupted, refused
from devloop.model.report import Emit, Event, Found, Outcome, Readiness, Reconciling, Status, StepFinished, StepStarted
from devloop.plan import Plan
from devloop.session import Session
from devloop.steps import Step

# Seconds between two looks whether the run was interrupted, and how long steps then get to say where they stand.
LOOK, GRACE = 0.1, 3.0


@dataclass
class Result:
    """What a run has said so far; a Report is made of it at the end. `failure` as in Report."""

    outcomes: list[Outcome] = field(default_factory=list)
    kustomizations: tuple[Readiness, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    failure: int = 0

    def take(self, event: Event) -> None:
        """Keep what of an event belongs into the report."""
        match event:
            case StepFinished(outcome):
                self.outcomes.append(outcome)
            case Reconciling(kustomizations):
                self.kustomizations = kustomizations
            case Found(findings):
                self.findings += findings
            case _:
                pass


def recorded(result: Result, emit: Emit) -> Emit:
    """An emit that also keeps what belongs into the report; safe to call from several threads."""
    lock = threading.Lock()

    def record(event: Event) -> None:
        with lock:
            result.take(event)
            emit(event)

    return record


def run(plan: Plan, session: Session, result: Result) -> None:
    """Run `plan`: what needs a failed step is skipped, independent steps go on; after bad input or a bug nothing more is started."""
    waiting = {step.title: step for step in plan}
    done: set[str] = set()
    ended: queue.SimpleQueue[tuple[Step, Outcome, int]] = queue.SimpleQueue()
    running: set[str] = set()
    while waiting or running:
        for step in _ready(waiting, done) if not (result.failure or session.stop.is_set()) else ():
            del waiting[step.title]
            running.add(step.title)
            session.emit(StepStarted(step.title))
            threading.Thread(target=lambda s=step: ended.put(_attempt(s, session)), name=step.title, daemon=True).start()
        if not running:
            break
        try:
            step, outcome, failure = _next(ended, session)
        except queue.Empty:
            break
        running.discard(step.title)
        result.failure = max(result.failure, failure)
        session.emit(StepFinished(outcome))
        if outcome.status is not Status.FAILED:
            done.add(step.title)
    if session.stop.is_set():
        result.failure = ExitCode.INTERRUPTED
    for step in plan:
        if step.title in waiting or step.title in running:
            session.emit(StepFinished(_skipped(step, done)))


def _skipped(step: Step, done: set[str]) -> Outcome:
    """A step that never ran, or was given up: what it waited for."""
    waited_for = tuple(need.title for need in step.needs if need.title not in done)
    message = f"waited for {', '.join(waited_for)}" if waited_for else "the run ended first"
    return Outcome(Status.SKIPPED, message, title=step.title, waited_for=waited_for, ran=False)


@contextlib.contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop` and end the worker: the run ends in order and with a report; the second time, at once."""

    def stop(*_: object) -> None:
        if session.stop.is_set():
            raise KeyboardInterrupt
        session.stop.set()
        session.close()

    with handle_signals(stop):
        yield


def _ready(waiting: dict[str, Step], done: set[str]) -> list[Step]:
    return [step for step in waiting.values() if done.issuperset(need.title for need in step.needs)]


def _next(ended: queue.SimpleQueue[tuple[Step, Outcome, int]], session: Session) -> tuple[Step, Outcome, int]:
    """The next step that ends; once `stop` is set, raises queue.Empty when none ends soon."""
    while not session.stop.is_set():
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=LOOK)
    return ended.get(timeout=GRACE)


def _attempt(step: Step, session: Session) -> tuple[Step, Outcome, int]:
    start = time.monotonic()
    with _failures(session) as caught:
        caught.outcome = step.run(session)
    outcome = replace(caught.outcome, title=step.title, seconds=time.monotonic() - start)
    return step, outcome, caught.failure


@dataclass
class _Caught:
    outcome: Outcome = Outcome(Status.FAILED)
    failure: int = 0


@contextlib.contextmanager
def _failures(session: Session) -> Iterator[_Caught]:
    """Turns whatever goes wrong inside into an outcome; findings for input errors, a traceback in a log file for bugs."""
    caught = _Caught()
    try:
        yield caught
    except DevloopError as error:
        _take_error(caught, error, session)
    except Exception as error:  # noqa: BLE001 (the boundary: a bug in one step must not take the report with it)
        told = refused(error) if isinstance(error, OSError) else None
        if told:
            _take_error(caught, told, session)
        else:
            caught.outcome = Outcome(Status.FAILED, f"bug: {type(error).__name__}", f"the traceback is in {write_traceback(error)}")
            caught.failure = ExitCode.BUG


def _take_error(caught: _Caught, error: DevloopError, session: Session) -> None:
    if session.stop.is_set() and not isinstance(error, Interrupted):
        error = Interrupted("interrupted")
    caught.outcome = Outcome(Status.FAILED, error.message, error.hint)
    caught.failure = error.exit_code if error.exit_code != ExitCode.UNHEALTHY else 0
    if isinstance(error, InputError) and error.problems:
        session.emit(Found(error.problems))


def write_traceback(error: BaseException) -> str:
    """Write the traceback (frames only: a value in a message could be a secret) to a file of ours; its path."""
    path = state_folder() / "crash.log"
    frames = "".join(traceback.format_tb(error.__traceback__))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {type(error).__name__}\n{frames}")
        path.chmod(0o600)
    except OSError:
        return f"no file, {path} cannot be written"
    return str(path)
