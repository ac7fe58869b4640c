"""A hint: a sentence, a command, or both. The console completes commands of devloop.

In the lowest layer, like diagnostic and errors, because messages of every layer have hints.
"""

import shlex
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class ShellCommand:
    """An external command; its text is quoted for a shell."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return self.argv[2] if self.argv[:2] == ("sh", "-c") else shlex.join(self.argv)


@dataclass(frozen=True)
class DevloopCommand:
    """`environment` is '' for that of the run; `before` are options before the name (-C DIR)."""

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
    """Text and commands, concatenated without separators."""

    parts: tuple[str | Command, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


Hint: TypeAlias = str | Command | Instructions


def command(words: str, *arguments: object) -> ShellCommand:
    """`words` are split at spaces, `arguments` are not."""
    return ShellCommand((*words.split(), *map(str, arguments)))


def shell(line: str) -> ShellCommand:
    """A command with pipes, variables or builtins."""
    return ShellCommand(("sh", "-c", line))


def instructions(*parts: str | Command) -> Instructions:
    return Instructions(parts)


def begins_with_command(hint: Hint) -> bool:
    first = hint.parts[0] if isinstance(hint, Instructions) else hint
    return not isinstance(first, str)
