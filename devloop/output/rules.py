"""What the rules of a report's findings say of themselves."""

from __future__ import annotations

from collections.abc import Iterable

from devloop.diagnostic import Diagnostic
from devloop.lint.rules import RULES, Rule


def family(rule: str) -> str:
    """`graph` of `graph/cycle`."""
    return rule.partition("/")[0]


def mentioned(findings: Iterable[Diagnostic]) -> dict[str, Rule | None]:
    """The rules that the findings name, in alphabetical order; None for what is no rule of validation."""
    return {name: RULES.get(name) for name in sorted({finding.rule for finding in findings})}
