"""Checks the repository before anything is created."""

from dataclasses import dataclass

from devloop.diagnostic import Severity
from devloop.errors import DevloopError, InputError
from devloop.hint import DevloopCommand, instructions
from devloop.model.flux.graph import Graph
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.messages import counted
from devloop.model.report import Found, Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class Validate:
    """As `devloop validate`: errors end the run, warnings are shown. `command` and its option `skip` reconcile in spite of errors."""

    graph: Output[Graph]
    command: str = "up"
    skip: str = "--no-validate"
    title: str = "validation"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        from devloop.lint.run import preflight
        from devloop.lint.snippets import add_snippets

        environment = session.environment
        found = add_snippets(environment.root, preflight(EnvironmentGraph(environment, self.graph.value), session.worker))
        if found:
            session.emit(Found(found))
        if errors := sum(finding.severity is Severity.ERROR for finding in found):
            name = environment.name
            check, skip = DevloopCommand("validate", options=("-e", name)), DevloopCommand(self.command, name, (self.skip,))
            raise DevloopError(f"{counted(errors, 'error')} in {name}", hint=instructions(check, ", or skip validation: ", skip))
        return outcome(False, counted(len(found), "warning") if found else "no errors or warnings")


@dataclass(frozen=True)
class CheckDependencies:
    """Without validation: only errors that no controller reports, or that Flux would wait for until the timeout."""

    graph: Output[Graph]
    title: str = "dependencies"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        from devloop.lint.run import blocking_errors

        environment = session.environment
        if found := blocking_errors(EnvironmentGraph(environment, self.graph.value), session.worker):
            session.emit(Found(found))
            raise InputError("Flux would never become ready", hint=DevloopCommand("validate", options=("--environment", environment.name)))
        return outcome(False)
