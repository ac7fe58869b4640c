"""Two kinds of lines: sentences, wrapped between words with a hanging indent, and commands, which are never wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.hint import Hint, begins_with_command

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

# Minimum columns of a sentence next to its indent; narrower ones are not indented.
NARROW = 24


def styled(*parts: str | tuple[str, str], style: str = "") -> Text:
    """Text of (text, style) parts; rich is imported with the first line to print."""
    from rich.text import Text

    return Text.assemble(*parts, style=style)


@dataclass(frozen=True)
class Whole:
    """`text` in one line, however long."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.no_wrap, self.text.overflow = True, "ignore"
        yield self.text


@dataclass(frozen=True)
class Hanging:
    """`text` in several lines, indented by `indent` after the first; words are not cut."""

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
    """The starts of the second and later lines of at most `width` columns; a longer word gets its own line."""
    start = 0
    for word in re.finditer(r"\S+", text):
        if word.end() - start > width and word.start() > start:
            start = word.start()
            yield start


def hint_line(hint: Hint, indent: int = 0) -> RenderableType:
    """A hint that starts with a command is not wrapped, so that it can be pasted."""
    line = styled(" " * indent, ("hint: ", "cyan"), str(hint))
    return Whole(line) if begins_with_command(hint) else Hanging(line, indent + len("hint: "))
