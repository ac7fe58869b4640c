"""Errors for the user, each with a message, a hint and an exit code.

Message: lower case, no full stop, says what happened. Hint: says what to do next, with a command if there is one.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import IntEnum

from devloop.diagnostic import Diagnostic
from devloop.hint import Hint, command


class ExitCode(IntEnum):
    """Documented in the README."""

    OK = 0
    UNHEALTHY = 1
    INPUT = 2
    BUG = 3
    INTERRUPTED = 130


class DevloopError(Exception):
    """The run cannot continue. Never contains key material or passwords."""

    exit_code = ExitCode.UNHEALTHY

    def __init__(self, message: str, *, hint: Hint = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(DevloopError):
    """The input is invalid; `problems` lists all problems at once, each with file and line."""

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
    """An external program failed: `command` (without secrets), its `status`, the last lines of its `output`."""

    def __init__(self, command: Sequence[str], status: int, output: str, *, hint: Hint = "") -> None:
        self.command = tuple(command)
        self.status = status
        self.output = "\n".join(output.strip().splitlines()[-12:])
        super().__init__(f"`{' '.join(command)}` ended with status {status}: {self.output or 'no output'}", hint=hint)


class Interrupted(DevloopError):
    """The user stopped the run (Ctrl-C, SIGTERM)."""

    exit_code = ExitCode.INTERRUPTED


# The disk is full, or its permissions deny access: not a bug.
_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def refused(error: OSError) -> DevloopError | None:
    """The error for the user if the disk is full or not writable, else None."""
    if error.errno not in _REFUSALS:
        return None
    name = error.filename or "a file"
    hint = command("df -h", name) if error.errno in (errno.ENOSPC, errno.EDQUOT) else command("ls -ld", name)
    return DevloopError(f"cannot write {name}: {str(error.strerror).lower()}", hint=hint)
