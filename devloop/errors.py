"""What can go wrong, as the user should read it: a message, a hint that can be pasted, an exit code.

Message: lower case, no full stop, says what happened. Hint: says what to do next, a command where there is one.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import IntEnum

from devloop.diagnostic import Diagnostic
from devloop.hint import Hint, command


class ExitCode(IntEnum):
    """How the program ends; the README says the same."""

    OK = 0
    UNHEALTHY = 1
    INPUT = 2
    BUG = 3
    INTERRUPTED = 130


class DevloopError(Exception):
    """The run cannot go on; `exit_code` UNHEALTHY unless a subclass says otherwise. Never carries key material or passwords."""

    exit_code = ExitCode.UNHEALTHY

    def __init__(self, message: str, *, hint: Hint = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(DevloopError):
    """The input is wrong; `problems` lists everything wrong with it at once, each with file and line."""

    exit_code = ExitCode.INPUT

    def __init__(self, message: str, *, hint: Hint = "", problems: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Diagnostic]) -> InputError:
        """All `problems` (at least one) as a single error."""
        first = problems[0]
        paths = ", ".join(dict.fromkeys(problem.path for problem in problems))
        count = f"{len(problems)} problems in {paths}" if len(problems) > 1 else str(first)
        return cls(count, hint=first.hint if len(problems) == 1 else "", problems=problems)


class ToolError(DevloopError):
    """An outside program failed: `command` (without secrets), its `status`, the last lines of its `output`."""

    def __init__(self, command: Sequence[str], status: int, output: str, *, hint: Hint = "") -> None:
        self.command = tuple(command)
        self.status = status
        self.output = "\n".join(output.strip().splitlines()[-12:])
        super().__init__(f"`{' '.join(command)}` ended with status {status}: {self.output or 'no output'}", hint=hint)


class Interrupted(DevloopError):
    """The user stopped the run (Ctrl-C, SIGTERM)."""

    exit_code = ExitCode.INTERRUPTED


# What the disk or its permissions refuse: nobody's bug.
_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def refused(error: OSError) -> DevloopError | None:
    """The error as users should read it where the disk is full or may not be written; None for any other."""
    if error.errno not in _REFUSALS:
        return None
    name = error.filename or "a file"
    hint = command("df -h", name) if error.errno in (errno.ENOSPC, errno.EDQUOT) else command("ls -ld", name)
    return DevloopError(f"cannot write {name}: {str(error.strerror).lower()}", hint=hint)
