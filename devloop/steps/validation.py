"""Nothing speaks against applying the repository; looked at while other steps run, told before anything is created."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devloop.errors import DevloopError
from devloop.model.messages import counted
from devloop.model.report import Finding, Found, Outcome, Severity, Status
from devloop.session import Session

# What validation finds in the environment; may have begun long before it is asked.
Check = Callable[[], tuple[Finding, ...]]


@dataclass(frozen=True)
class Validate:
    """An error ends the run; warnings are told."""

    check: Check
    title: str = "validation"
    needs: tuple[str, ...] = ()

    def run(self, session: Session) -> Outcome:
        found = self.check()
        if found:
            session.emit(Found(found))
        errors = sum(finding.severity is Severity.ERROR for finding in found)
        if errors:
            name = session.environment.name
            message = f"{counted(errors, 'error')} in what {name} would apply"
            raise DevloopError(message, hint=f"devloop validate -e {name}, or apply it all the same: devloop up {name} --no-validate")
        warnings = len(found)
        return Outcome(Status.UNCHANGED, counted(warnings, "warning") if warnings else "no error, no warning")
