"""What a run has to say: events while it goes on, a report at its end. The same shapes for every command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import ExitCode
from devloop.hint import Hint
from devloop.model.commands import COMMANDS, Target
from devloop.model.doctor.diagnosis import Diagnosis, Level


class Status(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """How one step ended; `seconds` is filled in by the runner.

    `ran` is False for a step that the run did not come to (skipped); `waited_for` are the steps that it needed and that were not done.
    """

    status: Status
    message: str = ""
    hint: Hint = ""
    title: str = ""
    seconds: float = 0.0
    waited_for: tuple[str, ...] = ()
    ran: bool = True


@dataclass(frozen=True)
class Readiness:
    """One Kustomization judged at one revision.

    `terminal` says that the verdict cannot change for this revision without a new one; `seconds` is the time from the start of the wait
    to Ready (or to now); `objects` counts the inventory; `causes` are what the cluster itself says of failing workloads;
    `environment` is '' where the report is about one alone.
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
    causes: tuple[str, ...] = ()
    environment: str = ""

    @property
    def id(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Report:
    """The result of any command, see docs/report.md for its JSON form; `failure` is the exit code of an error that ended it early."""

    command: str
    environment: str
    provisioner: str = ""
    revision: str = ""
    steps: tuple[Outcome, ...] = ()
    kustomizations: tuple[Readiness, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    failure: int = 0
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def target(self) -> Target | None:
        return COMMANDS[self.command].target

    @property
    def ok(self) -> bool:
        """Validation is judged by its findings alone: what devloop.yaml has turned off or exempted is no error."""
        return (
            not self.failure
            and all(step.ran and step.status is not Status.FAILED for step in self.steps)
            and (self.target is Target.REPOSITORY or all(k.ready or k.suspended for k in self.kustomizations))
            and all(f.severity is not Severity.ERROR for f in self.findings)
            and all(d.level is not Level.FAILED for d in self.diagnoses)
        )

    @property
    def exit_code(self) -> int:
        """What ended the run early, or else whether all is well."""
        return self.failure or (ExitCode.OK if self.ok else ExitCode.UNHEALTHY)


@dataclass(frozen=True)
class StepStarted:
    title: str


@dataclass(frozen=True)
class StepFinished:
    outcome: Outcome


@dataclass(frozen=True)
class Progress:
    """How far one long thing inside a step is: `fraction` 0..1 or None where nobody can know, `remaining` in seconds."""

    title: str
    item: str
    fraction: float | None = None
    remaining: float | None = None
    done: bool = False


@dataclass(frozen=True)
class Notice:
    """One line for the user that is not an error."""

    message: str
    severity: Severity = Severity.INFO
    hint: Hint = ""


@dataclass(frozen=True)
class Reconciling:
    """The Kustomizations as they are now, in dependency order."""

    kustomizations: tuple[Readiness, ...]


@dataclass(frozen=True)
class Found:
    """Findings that a step came upon."""

    findings: tuple[Diagnostic, ...]


Event = StepStarted | StepFinished | Progress | Notice | Reconciling | Found
Emit = Callable[[Event], None]
