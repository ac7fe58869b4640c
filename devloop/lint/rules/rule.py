"""What a rule is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from devloop.diagnostic import Diagnostic, Severity
from devloop.model.lint.context import LintContext

Check = Callable[[LintContext], Iterator[Diagnostic]]


@dataclass(frozen=True)
class Rule:
    """`reason` explains why it matters, `fix` what to do about it: one sentence each, for readers who are new to the topic."""

    check: Check
    severity: Severity
    reason: str
    fix: str


Rules = Mapping[str, Rule]
