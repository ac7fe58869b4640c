"""Everything that `devloop` ensures, one frozen dataclass a step. A step looks, acts if needed and says changed or unchanged."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from devloop.model.report import Outcome, Status
from devloop.session import Session

T = TypeVar("T")


class Step(Protocol):
    """`title` is unique within a plan; `needs` are the steps that must be done before."""

    @property
    def title(self) -> str: ...

    @property
    def needs(self) -> tuple[Step, ...]: ...

    def run(self, session: Session) -> Outcome:
        """Raises DevloopError (the runner makes it an Outcome); must be safe to repeat and to interrupt."""


class Output(Generic[T]):
    """What one step of a plan makes and later ones read: the graph, the snapshot."""

    _value: T

    def set(self, value: T) -> None:
        self._value = value

    @property
    def is_set(self) -> bool:
        return "_value" in self.__dict__

    @property
    def value(self) -> T:
        """Raises AttributeError, a bug, where a step reads it without needing the step that makes it."""
        return self._value


def outcome(is_changed: object, message: str = "") -> Outcome:
    """The outcome of a step that went well."""
    return Outcome(Status.CHANGED if is_changed else Status.UNCHANGED, message)
