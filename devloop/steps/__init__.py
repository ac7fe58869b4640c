"""Everything that devloop ensures, one frozen dataclass per step: it checks, acts if needed and reports changed or unchanged."""

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
        """Safe to repeat and to interrupt; the runner turns a DevloopError into an Outcome."""


class Output(Generic[T]):
    """A value that one step of a plan produces and later ones read: the graph, the snapshot."""

    _value: T

    def set(self, value: T) -> None:
        self._value = value

    @property
    def is_set(self) -> bool:
        return "_value" in self.__dict__

    @property
    def value(self) -> T:
        """Raises AttributeError (a bug) in a step that does not need the step that produces it."""
        return self._value


def outcome(is_changed: object, message: str = "") -> Outcome:
    return Outcome(Status.CHANGED if is_changed else Status.UNCHANGED, message)
