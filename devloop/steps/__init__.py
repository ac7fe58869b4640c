"""Everything that `devloop` ensures, one frozen dataclass a step. A step looks, acts if needed and says changed or unchanged."""

from __future__ import annotations

from typing import Protocol

from devloop.model.report import Outcome, Status
from devloop.session import Session


class Step(Protocol):
    """`title` is unique within a plan; `needs` names by their titles the steps that must be done before."""

    @property
    def title(self) -> str: ...

    @property
    def needs(self) -> tuple[str, ...]: ...

    def run(self, session: Session) -> Outcome:
        """Raises DevloopError (the runner makes it an Outcome); must be safe to repeat and to interrupt."""


def outcome(is_changed: object, message: str = "") -> Outcome:
    """The outcome of a step that went well."""
    return Outcome(Status.CHANGED if is_changed else Status.UNCHANGED, message)
