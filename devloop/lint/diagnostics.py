"""From the results of rules to findings: adds lines, merges environments, applies severities and exemptions of devloop.yaml."""

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
    """The findings of the rules, sorted by file and line, each with all of its scopes."""
    settings = context.settings
    enabled = {name: rule for name, rule in rules.items() if not settings.is_off(name)}
    results = [_complete(each, name, rule, settings) for name, rule in enabled.items() for each in rule.check(context)]
    findings = locate(results, context, worker)
    if UNUSED in enabled:
        findings += [_complete(each, UNUSED, rules[UNUSED], settings) for each in needless(settings.exemptions, findings)]
    exemptions = [exemption for exemption in settings.exemptions if is_valid(exemption, context.today)]
    remaining = [each for each in findings if not any(covers(exemption, each) for exemption in exemptions)]
    return tuple(sorted(_merge(remaining), key=lambda each: (each.path, each.line, each.rule, each.message, each.object)))


def _complete(diagnostic: Diagnostic, name: str, rule: Rule, settings: Settings) -> Diagnostic:
    return replace(diagnostic, rule=name, severity=settings.severity(name) or diagnostic.severity or rule.severity)


def _merge(diagnostics: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """One diagnostic for all environments that share it."""
    merged: dict[tuple[object, ...], Diagnostic] = {}
    for each in diagnostics:
        key = (each.rule, each.severity, each.path, each.line, each.message, each.object)
        first = merged.setdefault(key, each)
        related = tuple(dict.fromkeys([*first.related, *each.related]))
        merged[key] = replace(first, scopes=tuple(sorted({*first.scopes, *each.scopes})), related=related)
    return merged.values()
