"""The table of results, for the terminal and for docs/reliability.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from scripts.faults.play import Result

HEADINGS = ("fault", "provisioner", "seconds", "cause", "place", "reproduce")


def text_table(results: Sequence[Result]) -> str:
    rows = [HEADINGS, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown_table(results: Sequence[Result]) -> str:
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" * len(HEADINGS) + "|"]
    for result in results:
        fault, provisioner, seconds, cause, place, command = _row(result)
        code = f"`{place}`" if place else "-"
        lines.append(f"| `{fault}` | {provisioner} | {seconds} | {_code(cause)} | {code} | `{command}` |")
    return "\n".join(lines)


def _code(cause: str) -> str:
    identifier, _, rest = cause.partition(" ")
    return f"`{identifier}` {rest}" if rest else cause


def _row(result: Result) -> tuple[str, str, str, str, str, str]:
    seconds = "-" if result.seconds is None else f"{result.seconds:.1f}"
    command = f"task faults -- {result.fault} --provisioner {result.provisioner}"
    cause = ("FAILED " if result.problems else "") + result.cause
    return result.fault, result.provisioner, seconds, cause, result.place, command


def summary(results: Sequence[Result]) -> Iterator[str]:
    """How many were as expected, with the median and the 95th percentile of each build."""
    for build in sorted({result.build for result in results}):
        own = [result for result in results if result.build == build]
        times = sorted(result.seconds for result in own if result.seconds is not None)
        if times:
            p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
            good = sum(not result.problems for result in own)
            median = statistics.median(times)
            yield f"{build}: {good} of {len(own)} as expected; evidence to verdict: median {median:.2f} s, p95 {p95:.2f} s"


def problem_lines(result: Result) -> Iterator[str]:
    yield f"{result.fault} on {result.provisioner} ({result.build}):"
    yield from (f"  {problem}" for problem in result.problems)
