"""What rules are for, as people read it. Building renderables is not printing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from devloop.console.text import COLOURS

if TYPE_CHECKING:
    from rich.text import Text

    from devloop.lint.explanation import Explanation

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def explained(explanations: Iterable[Explanation]) -> Iterator[Text]:
    """A paragraph for each rule; an example is a diff from what is wrong to what is right."""
    from rich.text import Text

    for explanation in explanations:
        rule = explanation.rule
        yield Text.assemble((explanation.name, "bold"), "  ", (rule.severity.value, COLOURS[rule.severity]))
        yield Text.assemble(("  why: ", "cyan"), rule.reason)
        yield Text.assemble(("  fix: ", "cyan"), rule.fix)
        if explanation.example:
            yield Text("\n  for example:\n", "cyan")
        for line in explanation.example.splitlines():
            yield diff_line(line, "  ")


def diff_line(line: str, indent: str = "") -> Text:
    """A line of a unified diff in its colour."""
    from rich.text import Text

    style = "bold" if line.startswith(("+++", "---")) else _COLOURS.get(line[:1], "")
    return Text(indent + line, style)
