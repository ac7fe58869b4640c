"""From what rules say to what the report says: lines looked up, environments joined, severities and exemptions of devloop.yaml applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from devloop.clients.worker import Worker
from devloop.lint.locations import Resolved, locate
from devloop.lint.rules import Rule, Rules
from devloop.lint.rules.exemptions import UNUSED, covers, is_valid, needless
from devloop.model.lint.context import LintContext
from devloop.model.lint.location import Fault
from devloop.model.lint.settings import Settings
from devloop.model.report import Finding, Scope


def apply_rules(subject: LintContext, worker: Worker, rules: Rules) -> tuple[Finding, ...]:
    """What the rules find, sorted by file and line; each once, with every place where it stands."""
    settings = subject.settings
    wanted = {name: rule for name, rule in rules.items() if not settings.is_off(name)}
    faults = [(name, fault) for name, rule in wanted.items() for fault in rule.check(subject)]
    places = locate([fault for _, fault in faults], subject, worker)
    found = [_finding(name, rules[name], fault, spot, settings) for (name, fault), spot in zip(faults, places, strict=True)]
    if UNUSED in wanted:
        left_over = ((fault, Resolved(fault.place.path, fault.place.line)) for fault in needless(settings.exemptions, found))
        found += [_finding(UNUSED, rules[UNUSED], fault, spot, settings) for fault, spot in left_over]
    exemptions = [exemption for exemption in settings.exemptions if is_valid(exemption, subject.today)]
    left = [finding for finding in found if not any(covers(exemption, finding) for exemption in exemptions)]
    return tuple(sorted(_joined(left), key=_order))


def _finding(name: str, rule: Rule, fault: Fault, spot: Resolved, settings: Settings) -> Finding:
    severity = settings.severity(name) or fault.severity or rule.severity
    scopes = (Scope(fault.environment, fault.kustomization),) if fault.environment else ()
    return Finding(name, severity, spot.path, spot.line, fault.message, fault.hint, fault.place.object, scopes, related=spot.related)


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """What several environments share is one finding."""
    found: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.severity, finding.path, finding.line, finding.message, finding.object)
        first = found.setdefault(key, finding)
        related = tuple(dict.fromkeys([*first.related, *finding.related]))
        found[key] = replace(first, scopes=tuple(sorted({*first.scopes, *finding.scopes})), related=related)
    return list(found.values())


def _order(finding: Finding) -> tuple[str, int, str, str, str]:
    return finding.path, finding.line, finding.rule, finding.message, finding.object
