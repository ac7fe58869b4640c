"""Two kinds of lines: sentences, broken between words and aligned below their beginning, and commands, which only a terminal may break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.hint import Hint, begins_with_command

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

# Columns that a sentence needs beside its indent to be worth aligning.
NARROW = 24


@dataclass(frozen=True)
class Whole:
    """`text` in one line, however long."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.no_wrap, self.text.overflow = True, "ignore"
        yield self.text


@dataclass(frozen=True)
class Hanging:
    """`text` in as many lines as it takes, those after the first `indent` columns from the left; no word is cut."""

    text: Text
    indent: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = self.indent if options.max_width - self.indent >= NARROW else 0
        head, body = self.text[:indent], self.text[indent:]
        for paragraph in body.split("\n", allow_blank=True):
            for line in paragraph.divide(_breaks(paragraph.plain, options.max_width - indent)):
                line.rstrip()
                yield Whole(head + line)
                head = head.blank_copy(" " * indent)


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where lines of at most `width` columns begin, but for the first; a longer word has a line of its own."""
    start = 0
    for word in re.finditer(r"\S+", text):
        if word.end() - start > width and word.start() > start:
            start = word.start()
            yield start


def hint_line(hint: Hint, indent: int = 0) -> RenderableType:
    """What to do: what begins with a command so that it can be pasted, anything else as a sentence."""
    from rich.text import Text

    line = Text.assemble(" " * indent, ("hint: ", "cyan"), str(hint))
    return Whole(line) if begins_with_command(hint) else Hanging(line, indent + len("hint: "))
