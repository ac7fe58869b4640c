"""What `devloop doctor` says of one thing that a run needs: fine, of concern or in the way, and the command that mends it."""

from dataclasses import dataclass
from enum import StrEnum

from devloop.hint import Hint


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Diagnosis:
    """One line of the doctor's. `check` names what was looked at, `hint` is a command where there is one."""

    check: str
    level: Level
    message: str
    hint: Hint = ""


def ok(check: str, message: str) -> Diagnosis:
    return Diagnosis(check, Level.OK, message)


def warning(check: str, message: str, hint: Hint) -> Diagnosis:
    return Diagnosis(check, Level.WARNING, message, hint)


def failed(check: str, message: str, hint: Hint) -> Diagnosis:
    return Diagnosis(check, Level.FAILED, message, hint)
