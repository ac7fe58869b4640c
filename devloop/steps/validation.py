"""Nothing speaks against applying the repository; found while other steps run, before anything is created."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.diagnostic import Severity
from devloop.errors import DevloopError, InputError
from devloop.hint import DevloopCommand, instructions
from devloop.model.flux.graph import Graph
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.messages import counted
from devloop.model.report import Found, Outcome, Status
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class Validate:
    """What `devloop validate` finds in the environment: an error ends the run, warnings are shown."""

    graph: Output[Graph]
    title: str = "validation"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        from devloop.lint.run import preflight
        from devloop.lint.snippets import add_snippets

        environment = session.environment
        found = add_snippets(environment.root, preflight(EnvironmentGraph(environment, self.graph.value), session.worker))
        if found:
            session.emit(Found(found))
        errors = sum(finding.severity is Severity.ERROR for finding in found)
        if errors:
            name = environment.name
            message = f"{counted(errors, 'error')} in what {name} would apply"
            raise DevloopError(
                message,
                hint=instructions(
                    DevloopCommand("validate", options=("-e", name)),
                    ", or apply it all the same: ",
                    DevloopCommand("up", name, ("--no-validate",)),
                ),
            )
        warnings = len(found)
        return Outcome(Status.UNCHANGED, counted(warnings, "warning") if warnings else "no error, no warning")


@dataclass(frozen=True)
class CheckDependencies:
    """Without validation: only what no controller ever reports, and what Flux would wait for until the timeout."""

    graph: Output[Graph]
    title: str = "dependencies"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        from devloop.lint.run import blocking_errors

        environment = session.environment
        if found := blocking_errors(EnvironmentGraph(environment, self.graph.value), session.worker):
            session.emit(Found(found))
            raise InputError("Flux would wait for ever", hint=DevloopCommand("validate", options=("--environment", environment.name)))
        return outcome(False)
