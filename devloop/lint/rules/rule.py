"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from devloop.diagnostic import Diagnostic, Severity
from devloop.model.lint.context import LintContext

Check = Callable[[LintContext], Iterator[Diagnostic]]


@dataclass(frozen=True)
class Rule:
    """A pure look at the subject. `reason` says why it matters, `fix` what to do about it, one sentence each, for people new to it."""

    check: Check
    severity: Severity
    reason: str
    fix: str


Rules = Mapping[str, Rule]
