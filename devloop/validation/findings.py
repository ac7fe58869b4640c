"""From what rules say to what the report says: lines looked up, environments joined, severities and exemptions of devloop.yaml applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from devloop.clients.worker import Worker
from devloop.model.place import Fault, Place
from devloop.model.report import Finding, Scope
from devloop.model.settings import Settings
from devloop.model.subject import Subject
from devloop.rules import Rule, Rules
from devloop.rules.exemptions import UNUSED, covers, is_valid, needless


def find(subject: Subject, worker: Worker, rules: Rules) -> tuple[Finding, ...]:
    """What the rules find, sorted by file and line; each once, with every place where it stands."""
    settings = subject.settings
    wanted = {name: rule for name, rule in rules.items() if not settings.is_off(name)}
    faults = [(name, fault) for name, rule in wanted.items() for fault in rule.check(subject)]
    lines = _lines([fault for _, fault in faults], worker)
    found = [_finding(name, rules[name], fault, line, settings) for (name, fault), line in zip(faults, lines, strict=True)]
    if UNUSED in wanted:
        found += [_finding(UNUSED, rules[UNUSED], fault, fault.place.line, settings) for fault in needless(settings.exemptions, found)]
    exemptions = [exemption for exemption in settings.exemptions if is_valid(exemption, subject.today)]
    left = [finding for finding in found if not any(covers(exemption, finding) for exemption in exemptions)]
    return tuple(sorted(_joined(left), key=_order))


def _finding(name: str, rule: Rule, fault: Fault, line: int, settings: Settings) -> Finding:
    severity = settings.severity(name) or fault.severity or rule.severity
    scopes = (Scope(fault.environment, fault.kustomization),) if fault.environment else ()
    return Finding(name, severity, fault.place.path, line, fault.message, fault.hint, fault.place.object, scopes)


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """What several environments share is one finding."""
    found: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.severity, finding.path, finding.line, finding.message, finding.object)
        first = found.setdefault(key, finding)
        found[key] = replace(first, scopes=tuple(sorted({*first.scopes, *finding.scopes})))
    return list(found.values())


def _order(finding: Finding) -> tuple[str, int, str, str, str]:
    return finding.path, finding.line, finding.rule, finding.message, finding.object


def _lines(faults: Sequence[Fault], worker: Worker) -> list[int]:
    """The line of each fault, looked up where the rule did not know it."""
    unknown = list({repr(fault.place): fault.place for fault in faults if not fault.place.line and fault.place.path}.values())
    found = dict(zip(map(repr, unknown), worker.locate([_question(place) for place in unknown]), strict=True)) if unknown else {}
    return [fault.place.line or found.get(repr(fault.place), 0) for fault in faults]


def _question(place: Place) -> dict[str, object]:
    return {key: value for key, value in asdict(place).items() if key not in ("line", "namespace")}
