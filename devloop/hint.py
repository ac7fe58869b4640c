"""What to do next, as a value: a sentence, a command that can be pasted, or both. The console completes our own commands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class ShellCommand:
    """A command as typed in a shell; its text is quoted where needed."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return self.argv[2] if self.argv[:2] == ("sh", "-c") else shlex.join(self.argv)


@dataclass(frozen=True)
class DevloopCommand:
    """A command of ours: `environment` is '' for that of the run, `before` are options before the name (-C DIR)."""

    name: str
    environment: str = ""
    options: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        return ("devloop", *self.before, self.name, *([self.environment] if self.environment else []), *self.options)

    def __str__(self) -> str:
        return shlex.join(self.argv)


Command: TypeAlias = ShellCommand | DevloopCommand


@dataclass(frozen=True)
class Instructions:
    """Sentences and commands in their order, spaces between them included."""

    parts: tuple[str | Command, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


Hint: TypeAlias = str | Command | Instructions


def command(words: str, *arguments: object) -> ShellCommand:
    """One program: `words` without quotes, then whole arguments."""
    return ShellCommand((*words.split(), *map(str, arguments)))


def shell(line: str) -> ShellCommand:
    """What only a shell understands: pipes, variables, builtins."""
    return ShellCommand(("sh", "-c", line))


def instructions(*parts: str | Command) -> Instructions:
    return Instructions(parts)


def begins_with_command(hint: Hint) -> bool:
    """Whether it can be pasted from its beginning."""
    first = hint.parts[0] if isinstance(hint, Instructions) else hint
    return not isinstance(first, str)
