"""The events of a run as JSON lines, one per event, for editors and bots; see docs/events.md and events.schema.json.

The fields of steps, Kustomizations, causes and findings are those of the report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devloop.diagnostic import Diagnostic
from devloop.model.causes.cause import Cause
from devloop.model.report import (
    Event,
    Found,
    Notice,
    Outcome,
    Progress,
    Readiness,
    Reconciling,
    Report,
    RunEnded,
    RunStarted,
    Span,
    StepFinished,
    StepStarted,
)
from devloop.output.json import cause_fields, finding_fields, hint_fields, kustomization_fields, span_fields, step_fields

# As for reports: the major version grows when a field is removed or means something else, the minor version when one is added.
SCHEMA_VERSION = "1.0"
SCHEMA = Path(__file__).with_name("events.schema.json")


class EventStream:
    """Passes a line per event to `write`, Kustomizations and causes only when they changed. Not thread-safe; raises what `write` raises."""

    def __init__(self, write: Callable[[str], None], command: str, environment: str) -> None:
        self._write = write
        self._environment = environment
        self._percent: dict[tuple[str, str], int] = {}
        self._states: dict[tuple[str, str], Readiness] = {}
        self._causes: list[dict[str, Any]] = []
        self._timeline: tuple[Span, ...] = ()
        self._steps: list[Outcome] = []
        self._findings: tuple[Diagnostic, ...] = ()
        self._put("start", {"schemaVersion": SCHEMA_VERSION, "command": command, "environment": environment})

    def take(self, event: Event) -> None:
        match event:
            case StepStarted(title):
                self._put("step-started", {"title": title})
            case StepFinished(outcome):
                self._steps.append(outcome)
                self._put("step-finished", step_fields(outcome))
            case Progress():
                self._take_progress(event)
            case Notice(message, severity, hint):
                self._put("notice", {"severity": severity, "message": message, **hint_fields(hint)})
            case Found(findings):
                self._take_findings(findings)
            case Reconciling(kustomizations, causes):
                self._take_states(kustomizations, causes)
            case RunStarted(paths):
                self._steps, self._findings = [], ()
                self._put("run-started", {"paths": list(paths)})
            case RunEnded(report):
                self._take_timeline(report.timeline if report else ())
                ended = {"ok": report.ok, "revision": report.revision} if report else {"ok": False, "revision": ""}
                self._put("run-ended", {"superseded": report is None, **ended})

    def end(self, report: Report) -> None:
        """What the report has and no event had, then the result."""
        for step in report.steps:
            if step not in self._steps:
                self.take(StepFinished(step))
        self._take_findings(tuple(finding for finding in report.findings if finding not in self._findings))
        self._take_states(report.kustomizations, report.causes)
        self._take_timeline(report.timeline)
        result = {"ok": report.ok, "exitCode": int(report.exit_code), "verdict": report.verdict}
        self._put("end", {"provisioner": report.provisioner, "revision": report.revision, **result})

    def _take_progress(self, event: Progress) -> None:
        """At most one line per percent."""
        percent = -1 if event.fraction is None else int(event.fraction * 100)
        if not event.done and self._percent.get((event.title, event.item)) == percent:
            return
        self._percent[event.title, event.item] = percent
        fields = {"title": event.title, "item": event.item, "fraction": event.fraction, "remaining": event.remaining, "done": event.done}
        self._put("progress", fields)

    def _take_findings(self, findings: tuple[Diagnostic, ...]) -> None:
        self._findings += findings
        for finding in findings:
            self._put("finding", finding_fields(finding))

    def _take_states(self, kustomizations: tuple[Readiness, ...], causes: tuple[Cause, ...]) -> None:
        for k in kustomizations:
            known, self._states[k.environment, k.id] = self._states.get((k.environment, k.id)), k
            if known is None or _state(known) != _state(k):
                self._put("kustomization", kustomization_fields(k, self._environment))
        listed = list(map(cause_fields, causes))  # causes are equal without their lines, which come later
        if listed != self._causes:
            self._causes = listed
            self._put("causes", {"causes": listed})

    def _take_timeline(self, spans: tuple[Span, ...]) -> None:
        if spans and spans != self._timeline:
            self._timeline = spans
            self._put("timeline", {"timeline": list(map(span_fields, spans))})

    def _put(self, kind: str, fields: Mapping[str, Any]) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"event": kind, "time": time, **fields}, ensure_ascii=False)
        self._write(line.encode(errors="backslashreplace").decode() + "\n")


def _state(k: Readiness) -> tuple[object, ...]:
    """Without what grows while it waits."""
    return k.ready, k.reason, k.message, k.revision, k.suspended
