"""The list of commands: tests/same/commands.yaml, expanded for all its repositories and environments."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml

from scripts.same.build import NotReady
from scripts.same.inputs import Inputs

KEYS = {"in", "commands", "here", "terminal", "env", "needs", "fresh", "worker", "unordered", "slow", "timed"}
# Commands that run once per definition of the table, since `validate` reports on all definitions together.
REFUSING = ("up", "render", "status", "down")
EACH = 4


@dataclass(frozen=True)
class Command:
    """`parts` are run one after another with the same state; `repository` is '' for an empty folder; the flags are those of the table."""

    parts: tuple[str, ...]
    repository: str = ""
    here: bool = False
    terminal: bool = False
    env: tuple[tuple[str, str], ...] = ()
    needs_tools: bool = False
    fresh: bool = False
    worker: bool = False
    unordered: bool = False
    slow: bool = False
    timed: bool = False

    @property
    def name(self) -> str:
        """A name that is unique among the commands."""
        flags = [flag for flag in ("here", "terminal") if getattr(self, flag)]
        said = [f"{key}={value}" for key, value in self.env]
        where = [f"({', '.join(filter(None, [self.repository, *flags]))})"] if self.repository or flags else []
        return " ".join([*said, "devloop", " && ".join(self.parts), *where])

    @property
    def folder(self) -> str:
        """The name of its folder, the same in every run."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:12]

    @property
    def of_machine(self) -> bool:
        """Whether its output depends on the installed programs."""
        return self.worker or self.timed

    def matches(self, patterns: list[str]) -> bool:
        return not patterns or any(fnmatchcase(self.name, f"*{pattern}*") for pattern in patterns)

    def argv(self, part: str, inputs: Inputs) -> list[str]:
        where = ["-C", str(inputs.repository(self.repository))] if self.repository and not self.here else []
        return [*where, *shlex.split(part)]


def expand(table: Path, inputs: Inputs) -> list[Command]:
    """All commands, in the order of the table."""
    found = [command for entry in yaml.safe_load(table.read_text()) for command in _of_entry(entry, inputs)]
    names = [command.name for command in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotReady(f"{table.name} has twice: {'; '.join(twice)}")
    return found


def _of_entry(entry: Mapping[str, Any], inputs: Inputs) -> Iterator[Command]:
    if unknown := entry.keys() - KEYS:
        raise NotReady(f"commands.yaml: unknown key {', '.join(sorted(unknown))}")
    flags = {flag: entry.get(flag, False) for flag in ("here", "terminal", "fresh", "worker", "unordered", "slow", "timed")}
    env = tuple((key, value.replace("{keys}", str(inputs.folder / "keys"))) for key, value in entry.get("env", {}).items())
    for repository in inputs.matching(entry["in"]) if "in" in entry else [""]:
        for line in entry["commands"]:
            for written in _lines(line, repository, inputs):
                parts = tuple(part.strip() for part in written.split("&&"))
                yield Command(parts, repository, env=env, needs_tools=entry.get("needs") == "tools", **flags)


def _lines(line: str, repository: str, inputs: Inputs) -> Iterator[str]:
    """Replaces the names in braces, once per value."""
    values = {"environment": inputs.environments.get(repository, ())}
    values |= {section: names[::EACH] for section, names in inputs.definitions.items()}
    name = next((name for name in re.findall(r"\{(\w+)\}", line) if name in values), "")
    commands = cycle(REFUSING)
    for value in values.get(name, ("",)):
        yield line.replace("{command}", next(commands)).replace(f"{{{name}}}", value)
