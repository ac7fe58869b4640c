"""Findings as rich renderables: by file, with source lines and hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from devloop.console.text import COLOURS
from devloop.console.wrapping import Hanging, hint_line, styled
from devloop.diagnostic import Diagnostic, Severity, Snippet

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


def findings_by_file(findings: Iterable[Diagnostic], environments: Sequence[str] = ()) -> Iterator[RenderableType]:
    """Names the environments of a finding that not all of `environments` have. Shows each snippet once, and none for severity info."""
    for path, group in groupby(findings, key=lambda finding: finding.path):
        listed = list(group)
        yield styled(_place(path, listed[0].line), style="bold")
        shown = 0
        for finding in listed:
            yield _headline(finding, environments)
            if finding.snippet and finding.line != shown and finding.severity is not Severity.INFO:
                shown = finding.line
                yield from _snippet(finding.snippet, COLOURS[finding.severity])
            for related in finding.related:
                yield Hanging(styled(f"    note: {related}", style="dim"), 10)
            if finding.hint:
                yield hint_line(finding.hint, 4)
        yield styled()


def problem_lines(problem: Diagnostic) -> Iterator[RenderableType]:
    place = (_place(problem.path, problem.line), "bold")
    yield Hanging(styled(place, "  ", ("error", COLOURS[Severity.ERROR]), f"  {problem.message}"), 2)
    if problem.hint:
        yield hint_line(problem.hint, 2)


def _place(path: str, line: int) -> str:
    """In a form that editors open."""
    return f"{path}:{line}" if path and line else path or "the repository"


def _headline(finding: Diagnostic, environments: Sequence[str]) -> Hanging:
    line = f"{finding.line:>4}" if finding.line else "   -"
    text = styled((f"{line}  ", "bold"), (str(finding.severity), COLOURS[finding.severity]), f"  {finding.message}")
    if finding.environments and set(finding.environments) != set(environments):
        text.append(f"  ({', '.join(finding.environments)})", "dim")
    return Hanging(text.append(f"  [{finding.rule}]", "dim"), 6)


def _snippet(snippet: Snippet, colour: str) -> Iterator[Text]:
    width = len(str(snippet.first + len(snippet.lines) - 1))
    for number, line in enumerate(snippet.lines, start=snippet.first):
        current = number == snippet.line
        yield styled(("    > " if current else "      ", colour), (f"{number:>{width}} | ", "dim"), (line, "" if current else "dim"))
        if current:
            yield styled((f"      {'':>{width}} | ", "dim"), " " * snippet.start, ("^" * (snippet.end - snippet.start), colour))
