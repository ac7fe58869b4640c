"""A report as GitHub's workflow commands: annotations at their lines, folded by file.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Mapping
from itertools import groupby

from devloop.diagnostic import Diagnostic, Severity
from devloop.hint import Hint
from devloop.model.causes.cause import Cause
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
    lines += map(cause_annotation, report.causes)
    counts = ", ".join(f"{sum(f.severity is severity for f in report.findings)} {severity.value}" for severity in Severity)
    return "\n".join([*lines, f"devloop {report.command}: {counts}"]) + "\n"


def annotation(finding: Diagnostic) -> str:
    return _at(finding, finding.rule, finding.message)


def cause_annotation(cause: Cause) -> str:
    return _at(cause, cause.id, str(cause))


def _at(found: Diagnostic | Cause, title: str, message: str) -> str:
    """At the line of a finding or a cause."""
    values = {"file": found.path, "line": str(found.line or ""), "title": title}
    properties = ",".join(f"{key}={_property(value)}" for key, value in values.items() if value)
    text = "\n".join([message, *(f"note: {related}" for related in found.related)])
    return f"::{_COMMANDS[found.severity]} {properties}::{_data(_with_hint(text, found.hint))}"


def _with_hint(message: str, hint: Hint) -> str:
    return f"{message}\nhint: {hint}" if hint else message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
