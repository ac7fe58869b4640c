"""A report as GitHub's workflow commands: annotations at their lines, folded by file.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Mapping
from itertools import groupby

from devloop.diagnostic import Diagnostic, Severity
from devloop.hint import Hint
from devloop.model.report import Report, Status

_COMMANDS: Mapping[Severity | None, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def to_github(report: Report) -> str:
    """A group of annotations per file, failed steps, causes, and a line with counts."""
    lines: list[str] = []
    for path, findings in groupby(report.findings, key=lambda finding: finding.path):
        lines += [f"::group::{_data(path or 'the repository')}", *map(annotation, findings), "::endgroup::"]
    for step in report.steps:
        if step.status is Status.FAILED:
            lines.append(f"::error title={_property(step.title)}::{_data(_with_hint(step.message, step.hint))}")
    for cause in report.causes:
        lines.append(f"::{_COMMANDS[cause.severity]} title={_property(cause.id)}::{_data(_with_hint(str(cause), cause.hint))}")
    counts = ", ".join(f"{sum(f.severity is severity for f in report.findings)} {severity.value}" for severity in Severity)
    return "\n".join([*lines, f"devloop {report.command}: {counts}"]) + "\n"


def annotation(finding: Diagnostic) -> str:
    values = {"file": finding.path, "line": str(finding.line or ""), "title": finding.rule}
    properties = ",".join(f"{key}={_property(value)}" for key, value in values.items() if value)
    message = "\n".join([finding.message, *(f"note: {related}" for related in finding.related)])
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(_with_hint(message, finding.hint))}"


def _with_hint(message: str, hint: Hint) -> str:
    return f"{message}\nhint: {hint}" if hint else message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
