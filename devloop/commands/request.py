"""What the commands on one environment share: the request, the lock, the session, the final report."""

import contextlib
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from devloop.clients.lock import superseding
from devloop.clients.signals import handle_signals
from devloop.clients.xdg import state_folder
from devloop.errors import DevloopError, InputError
from devloop.lint.redaction import Redaction
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Event, Found, Notice, Outcome, Reconciling, Report, Status
from devloop.model.timeline import timeline
from devloop.provisioners import AUTO, open_provisioner
from devloop.runner import Result
from devloop.session import Session
from devloop.toolchain import Toolchain


@dataclass(frozen=True)
class Request:
    """The options of `up`, `status` and `down`; `timeout` in seconds, None for the definition's.

    `validate` stops the run at the first errors; `allow_remote` lets validation fetch remote bases (Flux always fetches them).
    `path` replaces the folder that Flux enters; with `whole`, `sync` and `watch` reconcile what an edit does not affect as well.
    """

    root: Path
    environment: str
    definition: Path | None = None
    provisioner: str = AUTO
    key_file: Path | None = None
    timeout: float | None = None
    validate: bool = True
    recreate: bool = False
    allow_remote: bool = False
    path: Path | None = None
    whole: bool = False


@contextlib.contextmanager
def open_session(request: Request, environment: Environment, emit: Emit, provisioner: str) -> Iterator[Session]:
    """A session, closed afterwards. Ctrl-C and SIGTERM end its run in order and with a report; the second time, at once."""
    toolchain, stop = Toolchain(), threading.Event()
    opened = open_provisioner(provisioner, environment, toolchain, stop)
    session = Session(environment, opened, toolchain, emit, request.key_file, stop)
    session.emit = redacted(session, emit)

    def interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        # In a thread: a handler should be short, and a worker may take a moment to end.
        threading.Thread(target=session.close, name="close").start()

    with handle_signals(interrupt), contextlib.closing(session):
        try:
            yield session
        except BaseException:  # a closed pipe, for example: what still waits must not keep the process
            stop.set()
            raise


def redacted(session: Session, emit: Emit) -> Emit:
    """An `emit` without values of secrets, once the session's worker has read the repository; after an interruption, which ends the
    worker, without what may quote the repository or the cluster.
    """
    redaction = cache(lambda: Redaction(session.worker))

    def redact(event: Event) -> None:
        if session.has_worker and session.stop.is_set():
            if isinstance(event, Reconciling | Found | Notice):
                return
        elif session.has_worker:
            with contextlib.suppress(DevloopError):  # a worker that does not start has decrypted nothing
                event = redaction().event(event)
        emit(event)

    return redact


def locked(session: Session, role: str = "up", ends: Collection[str] = ("watch",)) -> contextlib.AbstractContextManager[None]:
    """One run at a time for an environment; one of the roles `ends` lets it go."""
    environment = session.environment
    return superseding(lock_file(environment), f"the environment {environment.name}", session.stop, role, ends)


def lock_file(environment: Environment, purpose: str = "") -> Path:
    return state_folder() / f"{environment.definition.name}{purpose and '.'}{purpose}.lock"


def report(command: str, session: Session, result: Result, revision: str) -> Report:
    return Report(
        command,
        session.environment.name,
        session.provisioner.name,
        revision,
        tuple(result.outcomes),
        result.kustomizations,
        result.findings,
        result.failure,
        causes=result.causes,
        timeline=timeline(result.outcomes, result.phases, result.began),
    )


def refusal(command: str, environment: str, error: DevloopError) -> Report:
    """The report of a command that failed before its first step."""
    step = Outcome(Status.FAILED, error.message, error.hint, title=command)
    found = error.problems if isinstance(error, InputError) else ()
    return Report(command, environment, steps=(step,), findings=found, failure=error.exit_code)
