"""From a position in a CEL expression to the line and column in its file."""

from dataclasses import replace
from pathlib import Path

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.errors import InputError
from devloop.lint.locations import request
from devloop.model.lint.policy import PolicyResult
from devloop.repository.input_files import read_input


def add_position(result: PolicyResult, position: protocol.PolicyResult, root: Path, worker: Worker) -> PolicyResult:
    """Adds the line in the file, and the column in the message. `position` counts both from 1 in the expression."""
    location = result.place
    start = location.line or worker.locate([request(location)])[0].line
    try:
        text = read_input(root / location.path, location.path)
    except InputError:
        return result
    line, column = find(text, start, position.get("expression", ""), position["line"], position.get("column", 1))
    return replace(result, place=replace(location, line=line), message=f"{result.message} (column {column})") if line else result


def find(text: str, start: int, expression: str, line: int, column: int) -> tuple[int, int]:
    """Line and column in `text` of a position in `expression`, the value of the key in line `start`; 0, 0 if it is not found.

    YAML folds and indents, so only characters other than white space are counted. Does not find quoted text with escapes.
    """
    lines = text.splitlines()
    if not 0 < start <= len(lines):
        return 0, 0
    before = expression.splitlines()[:line]
    before[line - 1 :] = [each[: column - 1] for each in before[line - 1 :]]
    offset = len("".join("".join(before).split()))
    # Expressions are far shorter than 400 lines.
    characters = [
        (number, at, character)
        for number, content in enumerate(lines[start - 1 : start + 400], start)
        for at, character in enumerate(content, 1)
        if not character.isspace()
    ]
    first = "".join(character for _, _, character in characters).find("".join(expression.split()))
    if first < 0 or first + offset > len(characters):
        return 0, 0
    number, at, _ = characters[min(first + offset, len(characters) - 1)]
    return number, at
