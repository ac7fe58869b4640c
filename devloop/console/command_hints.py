"""Commands in hints and verdicts as they work from where the user stands: with the -C and the options that this command was given."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from devloop.errors import DevloopError, InputError
from devloop.model.commands import COMMANDS
from devloop.model.report import Event, Notice, Report, StepFinished

# Commands of ours that act on a repository, then maybe the environment's name.
_NAMES = "|".join(command.name for command in COMMANDS.values() if command.target)
_COMMAND = re.compile(rf"\bdevloop ({_NAMES})\b(?! --definition)( [\w.-]+)?")


@dataclass(frozen=True)
class CommandContext:
    """`before` are options before a command (-C DIR), `after` those behind its environment (--definition FILE), both ready for a shell.

    `provisioner` is for commands that may begin an environment: the others take what it runs with.
    """

    environment: str = ""
    before: str = ""
    after: str = ""
    provisioner: str = ""

    @classmethod
    def of(cls, environment: str, directory: str = "", definition: str = "", provisioner: str = "") -> CommandContext:
        """From what was typed; '' for what was not."""
        return cls(environment, _option("-C", directory), _option("--definition", definition), _option("--provisioner", provisioner))

    def text(self, text: str) -> str:
        """`text` with its commands completed."""
        return _COMMAND.sub(self._command, text)

    def _command(self, found: re.Match[str]) -> str:
        command, name = COMMANDS[found[1]], (found[2] or "").strip()
        if not name and command.environment and found.string[found.end() : found.end() + 1] in ("", ",", "`", ";"):
            name = self.environment
        ours = bool(name) and name == self.environment and command.environment
        after = (self.after, self.provisioner if command.creates else "") if ours else ()
        return " ".join(part for part in ("devloop", self.before, command.name, name, *after) if part)

    def event(self, event: Event) -> Event:
        match event:
            case Notice():
                return replace(event, message=self.text(event.message), hint=self.text(event.hint))
            case StepFinished(outcome):
                return StepFinished(replace(outcome, message=self.text(outcome.message), hint=self.text(outcome.hint)))
        return event

    def report(self, report: Report) -> Report:
        return replace(
            report,
            steps=tuple(replace(step, message=self.text(step.message), hint=self.text(step.hint)) for step in report.steps),
            findings=tuple(replace(finding, hint=self.text(finding.hint)) for finding in report.findings),
            diagnoses=tuple(replace(diagnosis, hint=self.text(diagnosis.hint)) for diagnosis in report.diagnoses),
        )

    def error(self, error: DevloopError) -> DevloopError:
        problems = error.problems if isinstance(error, InputError) else ()
        said = tuple(replace(problem, hint=self.text(problem.hint)) for problem in problems)
        return InputError(self.text(error.message), hint=self.text(error.hint), problems=said)


def _option(name: str, value: str) -> str:
    return f"{name} {shlex.quote(value)}" if value else ""
