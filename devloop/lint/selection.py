"""Which findings the user selected."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import InputError
from devloop.lint.rules import RULES
from devloop.model.messages import join_words, quote, suggestions

# Every rule.
ALL = "all"

_ORDER = tuple(Severity)


@dataclass(frozen=True)
class Selection:
    """Findings at least as severe as `severity`, of `rules` (ids, families, globs; empty for all), affected by changes `since` REV."""

    severity: Severity = Severity.INFO
    rules: tuple[str, ...] = ()
    since: str = ""

    def has(self, finding: Diagnostic) -> bool:
        """Whether severity and rule match; for `since` see devloop/lint/impact.py."""
        severe = _ORDER.index(finding.severity) <= _ORDER.index(self.severity)
        return severe and (not self.rules or any(_matches(pattern, finding.rule) for pattern in self.rules))


def matching_rules(patterns: Iterable[str], known: Collection[str] = RULES) -> tuple[str, ...]:
    """The rules that match, in their order; raises InputError for a pattern without a match."""
    patterns = tuple(patterns)
    for pattern in patterns:
        if not any(_matches(pattern, name) for name in known):
            families = sorted({name.partition("/")[0] for name in known})
            similar = suggestions(pattern, [*known, *families])
            hint = f"did you mean {join_words(similar, 'or')}?" if similar else f"the families are {join_words(families)}"
            raise InputError(f"there is no rule {quote(pattern)}", hint=hint)
    return tuple(name for name in known if any(_matches(pattern, name) for pattern in patterns))


def _matches(pattern: str, rule: str) -> bool:
    return pattern == ALL or fnmatchcase(rule, pattern) or rule.partition("/")[0] == pattern
