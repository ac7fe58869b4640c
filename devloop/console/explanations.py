"""Explanations of rules, and diffs, as rich renderables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from devloop.console.text import COLOURS
from devloop.console.wrapping import styled

if TYPE_CHECKING:
    from rich.text import Text

    from devloop.lint.explanation import Explanation

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def explained(explanations: Iterable[Explanation]) -> Iterator[Text]:
    for explanation in explanations:
        rule = explanation.rule
        yield styled((explanation.name, "bold"), "  ", (rule.severity.value, COLOURS[rule.severity]))
        yield styled(("  why: ", "cyan"), rule.reason)
        yield styled(("  fix: ", "cyan"), rule.fix)
        if explanation.example:
            yield styled("\n  for example:\n", style="cyan")
        for line in explanation.example.splitlines():
            yield diff_line(line, "  ")


def diff_line(line: str, indent: str = "") -> Text:
    style = "bold" if line.startswith(("+++", "---")) else _COLOURS.get(line[:1], "")
    return styled(indent + line, style=style)
