"""Completes the commands of devloop in hints and verdicts with the options of this command line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devloop.errors import DevloopError, InputError
from devloop.hint import DevloopCommand, Hint, Instructions
from devloop.model.commands import COMMANDS
from devloop.model.report import Event, Notice, Reconciling, Report, RunEnded, StepFinished


@dataclass(frozen=True)
class CommandContext:
    """`before` are options before a command (-C DIR), `after` those after its environment (--definition FILE, --path DIR).

    `provisioner` is for commands that may create an environment; others use its current one.
    """

    environment: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    provisioner: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: str, directory: str = "", definition: str = "", provisioner: str = "", path: str = "") -> CommandContext:
        """From the options of the command line, '' for missing ones."""
        options = (("-C", directory), ("--definition", definition), ("--path", path), ("--provisioner", provisioner))
        before, definition_option, path_option, provisioner_option = (option if option[1] else () for option in options)
        return cls(environment, before, (*definition_option, *path_option), provisioner_option)

    def hint(self, hint: Hint) -> Hint:
        if isinstance(hint, Instructions):
            return Instructions(tuple(self.command(part) if isinstance(part, DevloopCommand) else part for part in hint.parts))
        return self.command(hint) if isinstance(hint, DevloopCommand) else hint

    def command(self, command: DevloopCommand) -> DevloopCommand:
        """With -C, and if it is for the same environment, with its name and options."""
        known = COMMANDS[command.name]
        environment = command.environment or (self.environment if known.environment and not command.options else "")
        same = environment and environment == self.environment and known.environment
        options = (*self.after, *(self.provisioner if known.creates else ())) if same else ()
        return replace(command, environment=environment, options=(*options, *command.options), before=self.before)

    def event(self, event: Event) -> Event:
        match event:
            case Notice():
                return replace(event, hint=self.hint(event.hint))
            case StepFinished(outcome):
                return StepFinished(replace(outcome, hint=self.hint(outcome.hint)))
            case Reconciling(kustomizations, causes):
                return Reconciling(kustomizations, tuple(replace(cause, hint=self.hint(cause.hint)) for cause in causes))
            case RunEnded(report) if report:
                return RunEnded(self.report(report))
        return event

    def report(self, report: Report) -> Report:
        return replace(
            report,
            steps=tuple(replace(step, hint=self.hint(step.hint)) for step in report.steps),
            findings=tuple(replace(finding, hint=self.hint(finding.hint)) for finding in report.findings),
            causes=tuple(replace(cause, hint=self.hint(cause.hint)) for cause in report.causes),
            diagnoses=tuple(replace(diagnosis, hint=self.hint(diagnosis.hint)) for diagnosis in report.diagnoses),
        )

    def error(self, error: DevloopError) -> DevloopError:
        problems = error.problems if isinstance(error, InputError) else ()
        completed = tuple(replace(problem, hint=self.hint(problem.hint)) for problem in problems)
        return InputError(error.message, hint=self.hint(error.hint), problems=completed)
