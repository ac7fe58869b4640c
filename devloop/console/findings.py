"""Findings as people read them: by file, each with its lines and what to do. Building renderables is not printing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from devloop.console.text import COLOURS
from devloop.console.wrapping import Hanging, hint_line
from devloop.diagnostic import Diagnostic, Severity, Snippet

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


def findings_by_file(findings: Iterable[Diagnostic], environments: Sequence[str] = ()) -> Iterator[RenderableType]:
    """The lines of a listing; a finding that not all of `environments` have names those that do.

    Each place is shown once, and none for what is only worth knowing.
    """
    from rich.text import Text

    for path, group in groupby(findings, key=lambda finding: finding.path):
        listed = list(group)
        yield Text(_place(path, listed[0].line), "bold")
        shown = 0
        for finding in listed:
            yield _headline(finding, environments)
            if finding.snippet and finding.line != shown and finding.severity is not Severity.INFO:
                shown = finding.line
                yield from _frame(finding.snippet, COLOURS[finding.severity])
            for related in finding.related:
                yield Hanging(Text(f"    note: {related}", "dim"), 10)
            if finding.hint:
                yield hint_line(finding.hint, 4)
        yield Text()


def problem_lines(problem: Diagnostic) -> Iterator[RenderableType]:
    """What is wrong with the input, and what to do."""
    from rich.text import Text

    place = (_place(problem.path, problem.line), "bold")
    yield Hanging(Text.assemble(place, "  ", ("error", COLOURS[Severity.ERROR]), f"  {problem.message}"), 2)
    if problem.hint:
        yield hint_line(problem.hint, 2)


def _place(path: str, line: int) -> str:
    """As editors open it: the file at its first finding."""
    return f"{path}:{line}" if path and line else path or "the repository"


def _headline(finding: Diagnostic, environments: Sequence[str]) -> Hanging:
    from rich.text import Text

    line = f"{finding.line:>4}" if finding.line else "   -"
    text = Text.assemble((f"{line}  ", "bold"), (str(finding.severity), COLOURS[finding.severity]), f"  {finding.message}")
    if finding.environments and set(finding.environments) != set(environments):
        text.append(f"  ({', '.join(finding.environments)})", "dim")
    return Hanging(text.append(f"  [{finding.rule}]", "dim"), 6)


def _frame(frame: Snippet, colour: str) -> Iterator[Text]:
    from rich.text import Text

    width = len(str(frame.first + len(frame.lines) - 1))
    for number, line in enumerate(frame.lines, start=frame.first):
        meant = number == frame.line
        yield Text.assemble(("    > " if meant else "      ", colour), (f"{number:>{width}} | ", "dim"), (line, "" if meant else "dim"))
        if meant:
            yield Text.assemble((f"      {'':>{width}} | ", "dim"), " " * frame.start, ("^" * (frame.end - frame.start), colour))
