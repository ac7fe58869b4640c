"""A report as JSON, the same shape for every command; see docs/report.md and report.schema.json."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devloop.diagnostic import Diagnostic
from devloop.hint import Command, Hint
from devloop.model.causes.cause import Cause
from devloop.model.commands import Target
from devloop.model.doctor.diagnosis import Diagnosis
from devloop.model.report import Outcome, Readiness, Report, Span

# The major version grows when a field is removed or means something else, the minor version when one is added.
SCHEMA_VERSION = "1.2"
SCHEMA = Path(__file__).with_name("report.schema.json")


def to_json(report: Report) -> str:
    """One JSON document with a trailing newline, keys in the documented order."""
    document: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "command": report.command,
        "environment": report.environment,
        "provisioner": report.provisioner,
        "revision": report.revision,
        "ok": report.ok,
        "steps": [step_fields(step) for step in report.steps],
        "kustomizations": [kustomization_fields(k, report.environment, report.causes) for k in report.kustomizations],
        "causes": [cause_fields(cause) for cause in report.causes],
        "findings": [finding_fields(finding) for finding in report.findings],
        "timeline": [span_fields(span) for span in report.timeline],
    }
    if report.target is Target.MACHINE:
        document["checks"] = [_check(diagnosis) for diagnosis in report.diagnoses]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def hint_fields(hint: Hint) -> dict[str, Any]:
    """The text; with `command` if it is a command as a whole."""
    return {"hint": str(hint)} | ({"command": list(hint.argv)} if isinstance(hint, Command) else {})


def step_fields(step: Outcome) -> dict[str, Any]:
    return {
        "title": step.title,
        "status": step.status.value,
        "seconds": round(step.seconds, 3),
        "message": step.message,
        **hint_fields(step.hint),
        "waitedFor": list(step.waited_for),
    }


def span_fields(span: Span) -> dict[str, Any]:
    return {
        "title": span.title,
        "kind": span.kind,
        "start": round(span.start, 3),
        "seconds": round(span.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in span.phases},
        "critical": span.critical,
    }


def kustomization_fields(k: Readiness, environment: str, causes: Sequence[Cause] = ()) -> dict[str, Any]:
    return {
        "environment": k.environment or environment,
        "namespace": k.namespace,
        "name": k.name,
        "ready": k.ready,
        "reason": k.reason,
        "message": "; ".join((k.message, *(str(cause) for cause in causes if cause.kustomization == k.id))),
        "revision": k.revision,
        "dependsOn": list(k.depends_on),
        "seconds": round(k.seconds, 3),
    }


def cause_fields(cause: Cause) -> dict[str, Any]:
    return {
        "id": cause.id,
        "severity": cause.severity,
        "kustomization": cause.kustomization,
        "object": cause.object._asdict(),
        "path": cause.path,
        "line": cause.line,
        "related": [{"path": r.path, "line": r.line, "message": r.message} for r in cause.related],
        "message": cause.message,
        **hint_fields(cause.hint),
        "final": cause.final,
        "log": list(cause.log),
    }


def finding_fields(finding: Diagnostic) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "path": finding.path,
        "line": finding.line,
        "message": finding.message,
        "arguments": dict(finding.arguments),
        **hint_fields(finding.hint),
        "object": finding.object,
        "related": [{"path": r.path, "line": r.line, "message": r.message} for r in finding.related],
        "environments": list(finding.environments),
        "kustomizations": [f"{scope.environment}/{scope.kustomization}" for scope in finding.scopes if scope.kustomization],
    }


def _check(diagnosis: Diagnosis) -> dict[str, Any]:
    return {"check": diagnosis.check, "status": diagnosis.level.value, "message": diagnosis.message, **hint_fields(diagnosis.hint)}
