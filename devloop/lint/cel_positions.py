"""From a place inside of a CEL expression to the line and column of the file that the expression stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from devloop.clients.worker import Worker
from devloop.diagnostic import Location
from devloop.errors import InputError
from devloop.model.lint.policy import PolicyResult
from devloop.repository.input_files import read_input


def point(statement: PolicyResult, said: Mapping[str, Any], root: Path, worker: Worker) -> PolicyResult:
    """The statement, with the line in the file and the column in its message. `said` counts both from 1 in the expression."""
    place = statement.place
    start = place.line or worker.locate([_question(place)])[0].line
    try:
        text = read_input(root / place.path, place.path)
    except InputError:
        return statement
    line, column = find(text, start, said.get("expression", ""), said["line"], said.get("column", 1))
    if not line:
        return statement
    return replace(statement, place=replace(place, line=line), message=f"{statement.message} (column {column})")


def _question(place: Location) -> dict[str, object]:
    return {key: value for key, value in asdict(place).items() if key not in ("line", "namespace")}


def find(text: str, start: int, expression: str, line: int, column: int) -> tuple[int, int]:
    """Line and column in `text` of a place in `expression`, the value of the key in line `start`; 0, 0 where it does not stand there.

    YAML folds and indents, so what is neither a space nor a line break is counted off. Quoted text with escapes is not found.
    """
    lines = text.splitlines()
    if not 0 < start <= len(lines):
        return 0, 0
    before = expression.splitlines()[: line - 1]
    ahead = len("".join("".join([*before, _head(expression, line, column)]).split()))
    solid = "".join(expression.split())
    rest = [(number, at, char) for number, at, char in _solid(lines, start)]
    written = "".join(char for _, _, char in rest)
    begin = written.find(solid)
    if begin < 0 or begin + ahead >= len(rest) + 1:
        return 0, 0
    number, at, _ = rest[min(begin + ahead, len(rest) - 1)]
    return number, at


def _head(expression: str, line: int, column: int) -> str:
    lines = expression.splitlines()
    return lines[line - 1][: column - 1] if 0 < line <= len(lines) else ""


def _solid(lines: list[str], start: int) -> list[tuple[int, int, str]]:
    """Every character that is no space from the line `start` on, with its line and column from 1; expressions end long before 400 lines."""
    return [
        (number, at, char)
        for number, content in enumerate(lines[start - 1 : start + 400], start)
        for at, char in enumerate(content, 1)
        if not char.isspace()
    ]
