"""The events of a run and the report at its end, the same types for every command."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import ExitCode
from devloop.hint import Hint
from devloop.model.causes.cause import Cause
from devloop.model.commands import COMMANDS, Target
from devloop.model.doctor.diagnosis import Diagnosis, Level


class Status(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """The result of a step; the runner sets `started` (monotonic) and `seconds`. `ran` is False for a step that was not started,
    `waited_for` has its unmet needs."""

    status: Status
    message: str = ""
    hint: Hint = ""
    title: str = ""
    seconds: float = 0.0
    waited_for: tuple[str, ...] = ()
    ran: bool = True
    started: float = 0.0


@dataclass(frozen=True)
class Readiness:
    """The state of a Kustomization at one revision.

    `terminal`: the state is final for this revision; `seconds`: from the start of the wait to Ready (or now); `objects`: size of the
    inventory; `environment`: '' if it is that of the report.
    """

    namespace: str
    name: str
    ready: bool
    reason: str
    message: str
    revision: str
    depends_on: tuple[str, ...] = ()
    seconds: float = 0.0
    objects: int = 0
    terminal: bool = False
    suspended: bool = False
    environment: str = ""

    @property
    def id(self) -> str:
        return f"{self.namespace}/{self.name}"


class Phase(NamedTuple):
    """A phase of a source, Kustomization or HelmRelease (`subject`: namespace/name); monotonic times. `after` are its dependencies."""

    subject: str
    kind: str
    name: str
    start: float
    end: float
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """Where time went: a step, or the work of Flux on an object (`kind` is "step" or the object's).

    Times in seconds, `start` since the run began; `phases` are (name, seconds); `critical`: the run would have been shorter without it.
    """

    title: str
    kind: str
    start: float
    seconds: float
    phases: tuple[tuple[str, float], ...] = ()
    critical: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True)
class Report:
    """The result of a command, see docs/report.md for its JSON; `failure` is the exit code of an error that ended it early."""

    command: str
    environment: str
    provisioner: str = ""
    revision: str = ""
    steps: tuple[Outcome, ...] = ()
    kustomizations: tuple[Readiness, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    failure: int = 0
    diagnoses: tuple[Diagnosis, ...] = ()
    causes: tuple[Cause, ...] = ()
    timeline: tuple[Span, ...] = ()

    @property
    def target(self) -> Target | None:
        return COMMANDS[self.command].target

    @property
    def ok(self) -> bool:
        """For validation, only findings count: devloop.yaml may exempt a Kustomization that is not ready."""
        return (
            not self.failure
            and all(step.ran and step.status is not Status.FAILED for step in self.steps)
            and (self.target is Target.REPOSITORY or all(k.ready or k.suspended for k in self.kustomizations))
            and all(f.severity is not Severity.ERROR for f in self.findings)
            and all(cause.severity is not Severity.ERROR for cause in self.causes)
            and all(d.level is not Level.FAILED for d in self.diagnoses)
        )

    @property
    def verdict(self) -> str:
        """The result in one line."""
        if self.failure == ExitCode.INTERRUPTED:
            return "interrupted"
        command = COMMANDS[self.command]
        return (command.ok if self.ok else command.failed).text.format(self.environment or "everything")

    @property
    def exit_code(self) -> int:
        return self.failure or (ExitCode.OK if self.ok else ExitCode.UNHEALTHY)


@dataclass(frozen=True)
class StepStarted:
    title: str


@dataclass(frozen=True)
class StepFinished:
    outcome: Outcome


@dataclass(frozen=True)
class Progress:
    """Progress of an item in a step: `fraction` 0..1 or None if unknown, `remaining` in seconds."""

    title: str
    item: str
    fraction: float | None = None
    remaining: float | None = None
    done: bool = False


@dataclass(frozen=True)
class Notice:
    """A message that is not an error."""

    message: str
    severity: Severity = Severity.INFO
    hint: Hint = ""


@dataclass(frozen=True)
class Reconciling:
    """The current state of Kustomizations, in dependency order, and why the environment is not healthy, the first cause first."""

    kustomizations: tuple[Readiness, ...]
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Found:
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Traced:
    """What Flux did in this run, when the wait for it ends."""

    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class RunStarted:
    """A run of `watch` begins; `paths` changed since the last one, none for other reasons."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class RunEnded:
    """`report` is None if a later edit superseded the run."""

    report: Report | None


Event = StepStarted | StepFinished | Progress | Notice | Reconciling | Found | Traced | RunStarted | RunEnded
Emit = Callable[[Event], None]
