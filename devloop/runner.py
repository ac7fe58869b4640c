"""Runs a plan: each step starts as soon as the steps that it needs are done, in parallel; errors become outcomes."""

import contextlib
import queue
import threading
import time
import traceback
from dataclasses import dataclass, field, replace

from devloop.clients.xdg import state_folder
from devloop.diagnostic import Diagnostic
from devloop.errors import DevloopError, ExitCode, InputError, Interrupted, refused
from devloop.model.causes.cause import Cause
from devloop.model.report import Emit, Event, Found, Outcome, Phase, Readiness, Reconciling, Status, StepFinished, StepStarted, Traced
from devloop.plan import Plan
from devloop.session import Session
from devloop.steps import Step

# Seconds between two checks for an interruption, and seconds that running steps then get to end.
POLL, GRACE = 0.1, 0.8


@dataclass
class Result:
    """The part of the report that the steps have produced so far; `failure` as in Report, `began` is monotonic."""

    outcomes: list[Outcome] = field(default_factory=list)
    kustomizations: tuple[Readiness, ...] = ()
    causes: tuple[Cause, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    failure: int = 0
    phases: tuple[Phase, ...] = ()
    began: float = field(default_factory=time.monotonic)


def recorded(result: Result, emit: Emit) -> Emit:
    """An `emit` that also keeps in `result` what belongs in the report; safe to call from several threads."""
    lock = threading.Lock()

    def record(event: Event) -> None:
        with lock:
            match event:
                case StepFinished(outcome):
                    result.outcomes.append(outcome)
                case Reconciling(kustomizations, causes):
                    result.kustomizations, result.causes = kustomizations, causes
                case Found(findings):
                    result.findings += findings
                case Traced(phases):
                    result.phases = phases
            emit(event)

    return record


def run(plan: Plan, session: Session, result: Result) -> None:
    """Run `plan`: dependents of a failed step are skipped, other steps go on; after bad input or a bug, no new step starts."""
    waiting = {step.title: step for step in plan}
    done: set[str] = set()
    ended: queue.Queue[tuple[Step, Outcome, int]] = queue.Queue()
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
    """The outcome of a step that never ran, or did not end in time after an interruption."""
    waited_for = tuple(need.title for need in step.needs if need.title not in done)
    message = f"waited for {', '.join(waited_for)}" if waited_for else "the run ended first"
    return Outcome(Status.SKIPPED, message, title=step.title, waited_for=waited_for, ran=False)


def _ready(waiting: dict[str, Step], done: set[str]) -> list[Step]:
    return [step for step in waiting.values() if done.issuperset(need.title for need in step.needs)]


def _next(ended: queue.Queue[tuple[Step, Outcome, int]], session: Session) -> tuple[Step, Outcome, int]:
    """The next step to end; once `stop` is set, raises queue.Empty if none ends within the grace period."""
    while not session.stop.is_set():
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=POLL)
    return ended.get(timeout=GRACE)


def _attempt(step: Step, session: Session) -> tuple[Step, Outcome, int]:
    """The step, its outcome, and the exit code of a failure after which no other step may start (else 0)."""
    start, failure = time.monotonic(), 0
    try:
        outcome = step.run(session)
    except Exception as error:  # noqa: BLE001 (the boundary: a bug in one step must not lose the report)
        outcome, failure = _failed(error, session)
    return step, replace(outcome, title=step.title, started=start, seconds=time.monotonic() - start), failure


def _failed(error: Exception, session: Session) -> tuple[Outcome, int]:
    """Emits the findings of an input error; writes the traceback of a bug to a log file."""
    known = refused(error) if isinstance(error, OSError) else error
    if not isinstance(known, DevloopError):
        return Outcome(Status.FAILED, f"bug: {type(error).__name__}", f"the traceback is in {write_traceback(error)}"), ExitCode.BUG
    if session.stop.is_set() and not isinstance(known, Interrupted):
        known = Interrupted("interrupted")
    if isinstance(known, InputError) and known.problems:
        session.emit(Found(known.problems))
    return Outcome(Status.FAILED, known.message, known.hint), known.exit_code if known.exit_code != ExitCode.UNHEALTHY else 0


def write_traceback(error: BaseException) -> str:
    """Write the traceback to a file and return its path; frames only, since a message could contain a secret."""
    path = state_folder() / "crash.log"
    frames = "".join(traceback.format_tb(error.__traceback__))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {type(error).__name__}\n{frames}")
        path.chmod(0o600)
    except OSError:
        return f"no file: cannot write {path}"
    return str(path)
