"""Which findings the user asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import InputError
from devloop.lint.rules import RULES
from devloop.model.messages import join_words, quote, suggestions

# Every rule, as the help has it.
ALL = "all"

_ORDER = tuple(Severity)


@dataclass(frozen=True)
class Selection:
    """Findings at least as severe as `severity`, of `rules` (ids, families, globs, ALL; all when empty), that a change `since` reaches."""

    severity: Severity = Severity.INFO
    rules: tuple[str, ...] = ()
    since: str = ""

    def has(self, finding: Diagnostic) -> bool:
        """Whether severity and rule are asked for; what a change reaches is not for here."""
        enough = _ORDER.index(finding.severity) <= _ORDER.index(self.severity)
        return enough and (not self.rules or any(_matches(pattern, finding.rule) for pattern in self.rules))


def chosen(patterns: Iterable[str], known: Collection[str] = RULES) -> tuple[str, ...]:
    """The rules that the patterns name, in the order of the table; raises InputError for a pattern that names none."""
    wanted = tuple(patterns)
    for pattern in wanted:
        if not any(_matches(pattern, name) for name in known):
            families = sorted({name.partition("/")[0] for name in known})
            meant = suggestions(pattern, [*known, *families])
            hint = f"did you mean {join_words(meant, 'or')}?" if meant else f"the families are {join_words(families)}"
            raise InputError(f"there is no rule {quote(pattern)}", hint=hint)
    return tuple(name for name in known if any(_matches(pattern, name) for pattern in wanted))


def _matches(pattern: str, rule: str) -> bool:
    return pattern == ALL or fnmatchcase(rule, pattern) or rule.partition("/")[0] == pattern
