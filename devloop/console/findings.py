"""Findings as rich renderables: by file, with source lines and hints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from devloop.console.places import place, snippet_lines
from devloop.console.text import COLOURS
from devloop.console.wrapping import Hanging, hint_line, styled
from devloop.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from rich.console import RenderableType


def findings_by_file(findings: Iterable[Diagnostic], environments: Sequence[str] = ()) -> Iterator[RenderableType]:
    """Names the environments of a finding that not all of `environments` have. Shows each snippet once, and none for severity info."""
    for path, group in groupby(findings, key=lambda finding: finding.path):
        listed = list(group)
        yield styled(place(path, listed[0].line), style="bold")
        shown = 0
        for finding in listed:
            yield _headline(finding, environments)
            if finding.snippet and finding.line != shown and finding.severity is not Severity.INFO:
                shown = finding.line
                yield from snippet_lines(finding.snippet, COLOURS[finding.severity])
            for related in finding.related:
                yield Hanging(styled(f"    note: {related}", style="dim"), 10)
            if finding.hint:
                yield hint_line(finding.hint, 4)
        yield styled()


def problem_lines(problem: Diagnostic) -> Iterator[RenderableType]:
    where = (place(problem.path, problem.line), "bold")
    yield Hanging(styled(where, "  ", ("error", COLOURS[Severity.ERROR]), f"  {problem.message}"), 2)
    if problem.hint:
        yield hint_line(problem.hint, 2)


def _headline(finding: Diagnostic, environments: Sequence[str]) -> Hanging:
    line = f"{finding.line:>4}" if finding.line else "   -"
    text = styled((f"{line}  ", "bold"), (str(finding.severity), COLOURS[finding.severity]), f"  {finding.message}")
    if finding.environments and set(finding.environments) != set(environments):
        text.append(f"  ({', '.join(finding.environments)})", "dim")
    return Hanging(text.append(f"  [{finding.rule}]", "dim"), 6)
