"""A place in the repository and its source lines as rich renderables, for findings and causes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from devloop.console.wrapping import styled
from devloop.diagnostic import Snippet

if TYPE_CHECKING:
    from rich.text import Text


def place(path: str, line: int) -> str:
    """In a form that editors open."""
    return f"{path}:{line}" if path and line else path or "the repository"


def snippet_lines(snippet: Snippet, colour: str) -> Iterator[Text]:
    width = len(str(snippet.first + len(snippet.lines) - 1))
    for number, line in enumerate(snippet.lines, start=snippet.first):
        current = number == snippet.line
        yield styled(("    > " if current else "      ", colour), (f"{number:>{width}} | ", "dim"), (line, "" if current else "dim"))
        if current:
            yield styled((f"      {'':>{width}} | ", "dim"), " " * snippet.start, ("^" * (snippet.end - snippet.start), colour))
