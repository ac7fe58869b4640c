"""The result of a run as Markdown, for the summary of a job on GitHub.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from devloop.diagnostic import Diagnostic, Severity
from devloop.model.causes.cause import Cause
from devloop.model.report import Report, Span, Status

MOST = 50  # rows of a table; a summary may have 1 MiB
MOST_LOG = 20  # lines

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "💡"}


def summary_file() -> Path | None:
    """Where GitHub wants it, None elsewhere."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(name) if name else None


def to_markdown(report: Report) -> str:
    """The verdict, what failed, why and where, with a trailing newline."""
    parts = [
        [f"### {'✅' if report.ok else '❌'} devloop {report.command}: {_text(report.verdict)}"],
        _failures(report),
        _causes(report.causes),
        _findings([finding for finding in report.findings if finding.severity is Severity.ERROR]),
        _kustomizations(report),
        _timeline(report.timeline),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _failures(report: Report) -> list[str]:
    failed = [step for step in report.steps if step.status is Status.FAILED]
    return [f"- **{_text(step.title)}**: {_text(step.message)}" for step in failed[:MOST]]


def _causes(causes: Sequence[Cause]) -> list[str]:
    rows = [(_MARKS[each.severity], _place(each.path, each.line), _code(str(each.object)), _message(each)) for each in causes[:MOST]]
    return [*_table(("", "where", "object", "cause"), rows), *_more(causes), *(line for each in causes[:MOST] for line in _log(each))]


def _message(cause: Cause) -> str:
    hint = f"<br>hint: {_code(str(cause.hint))}" if cause.hint else ""
    return f"{_text(cause.message)}{hint} ({_code(cause.id)})"


def _log(cause: Cause) -> Iterator[str]:
    """Folded; a fence that the log cannot end."""
    if cause.log:
        lines = [line.replace("~~~", "~ ~ ~") for line in cause.log[-MOST_LOG:]]
        yield from ("", f"<details><summary>log of {_code(str(cause.object))}</summary>", "", "~~~text", *lines, "~~~", "", "</details>")


def _findings(findings: Sequence[Diagnostic]) -> list[str]:
    rows = [(_place(each.path, each.line), _text(each.message), _code(each.rule)) for each in findings[:MOST]]
    return [*_table(("where", "error", "rule"), rows), *_more(findings)]


def _kustomizations(report: Report) -> list[str]:
    states = report.kustomizations
    if not states:
        return []
    ready = f"{sum(k.ready for k in states)} of {len(states)} Kustomizations ready"
    return [ready + (f" at {_code(report.revision)}" if report.revision else "")]


def _timeline(spans: Sequence[Span]) -> list[str]:
    """The critical path."""
    rows = [(_code(each.title), f"{each.start:.2f}", f"{each.seconds:.2f}", _phases(each)) for each in spans if each.critical]
    return _table(("critical path", "at (s)", "took (s)", "phases"), rows[:MOST])


def _phases(span: Span) -> str:
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in span.phases if len(span.phases) > 1)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return [_row(columns), _row(["---"] * len(columns)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _more(items: Sequence[object]) -> list[str]:
    return ["", f"and {len(items) - MOST} more"] if len(items) > MOST else []


def _place(path: str, line: int) -> str:
    return _code(f"{path}:{line}" if line else path) if path else ""


def _code(text: str) -> str:
    """As HTML: a code span in a table cell cannot hold every character."""
    escaped = "".join(f"&#{ord(letter)};" if letter in "&<>|`*_\\[]" else letter for letter in " ".join(text.split()))
    return f"<code>{escaped}</code>" if escaped else ""


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")
