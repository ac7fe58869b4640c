"""The result of one check of `devloop doctor`, and the command that fixes it."""

from dataclasses import dataclass
from enum import StrEnum

from devloop.hint import Hint


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Diagnosis:
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
