"""From what rules find to what the report says: lines looked up, environments joined, severities and exemptions of devloop.yaml applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic
from devloop.lint.locations import locate
from devloop.lint.rules import Rule, Rules
from devloop.lint.rules.exemptions import UNUSED, covers, is_valid, needless
from devloop.model.lint.context import LintContext
from devloop.model.lint.settings import Settings


def apply_rules(context: LintContext, worker: Worker, rules: Rules) -> tuple[Diagnostic, ...]:
    """What the rules find, sorted by file and line; each once, with every place where it stands."""
    settings = context.settings
    wanted = {name: rule for name, rule in rules.items() if not settings.is_off(name)}
    said = [_by(name, rule, each, settings) for name, rule in wanted.items() for each in rule.check(context)]
    found = locate(said, context, worker)
    if UNUSED in wanted:
        found += [_by(UNUSED, rules[UNUSED], each, settings) for each in needless(settings.exemptions, found)]
    exemptions = [exemption for exemption in settings.exemptions if is_valid(exemption, context.today)]
    left = [each for each in found if not any(covers(exemption, each) for exemption in exemptions)]
    return tuple(sorted(_joined(left), key=_order))


def _by(name: str, rule: Rule, diagnostic: Diagnostic, settings: Settings) -> Diagnostic:
    severity = settings.severity(name) or diagnostic.severity or rule.severity
    return replace(diagnostic, rule=name, severity=severity)


def _joined(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What several environments share is one diagnostic."""
    found: dict[tuple[object, ...], Diagnostic] = {}
    for each in diagnostics:
        key = (each.rule, each.severity, each.path, each.line, each.message, each.object)
        first = found.setdefault(key, each)
        related = tuple(dict.fromkeys([*first.related, *each.related]))
        found[key] = replace(first, scopes=tuple(sorted({*first.scopes, *each.scopes})), related=related)
    return list(found.values())


def _order(diagnostic: Diagnostic) -> tuple[str, int, str, str, str]:
    return diagnostic.path, diagnostic.line, diagnostic.rule, diagnostic.message, diagnostic.object
