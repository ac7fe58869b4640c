"""What the commands about one environment share: the request, the lock, an open session, the report at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.clients.lock import exclusive
from devloop.clients.xdg import state_folder
from devloop.errors import DevloopError, InputError
from devloop.model.cluster.environment import Environment
from devloop.model.report import Emit, Outcome, Report, Status
from devloop.provisioners import AUTO, open_provisioner
from devloop.runner import Result, interruptible
from devloop.session import Session
from devloop.toolchain import Toolchain


@dataclass(frozen=True)
class Request:
    """What the user asked for; `timeout` in seconds, None for the definition's; `validate` says whether errors end the run.

    `allow_remote` lets validation fetch remote bases; Flux does so in any case.
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


@contextlib.contextmanager
def open_session(request: Request, environment: Environment, emit: Emit, provisioner: str) -> Iterator[Session]:
    """A session that Ctrl-C and SIGTERM end in order; whatever it opened is closed."""
    toolchain, stop = Toolchain(), threading.Event()
    opened = open_provisioner(provisioner, environment, toolchain, stop)
    session = Session(environment, opened, toolchain, emit, request.key_file, stop)
    with interruptible(session):
        try:
            yield session
        finally:
            session.close()


def locked(environment: Environment) -> contextlib.AbstractContextManager[None]:
    """One run at a time for an environment."""
    return exclusive(state_folder() / f"{environment.definition.name}.lock", f"the environment {environment.name}")


def report(command: str, session: Session, result: Result, revision: str) -> Report:
    """What the run of `command` said."""
    return Report(
        command,
        session.environment.name,
        session.provisioner.name,
        revision,
        tuple(result.outcomes),
        result.kustomizations,
        result.findings,
        result.failure,
    )


def refusal(command: str, environment: str, error: DevloopError) -> Report:
    """The report of a command that ended before it could begin."""
    step = Outcome(Status.FAILED, error.message, error.hint, title=command)
    found = error.problems if isinstance(error, InputError) else ()
    return Report(command, environment, steps=(step,), findings=found, failure=error.exit_code)
