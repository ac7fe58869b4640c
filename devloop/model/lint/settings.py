"""What devloop.yaml says: severities, conventions, exemptions. No I/O; see docs/validation.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from devloop.diagnostic import Severity
from devloop.model.re2 import Expression

PATH = "devloop.yaml"
OFF = "off"


@dataclass(frozen=True)
class NamePattern:
    """Names of `kinds` (all when empty) match `pattern`, a whole-name regular expression; `example` shows one that does."""

    pattern: Expression
    kinds: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class RequiredLabels:
    """Objects of `kinds` (all when empty) carry the labels `names`."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exemption:
    """Findings of `rule` at `path` and about `object` (Kind/namespace/name) are as they should be; `reason` says why.

    All three are globs, in which * also matches slashes; an empty one matches everything. It holds up to and
    including the day `expires`. `line` is where devloop.yaml says it.
    """

    rule: str
    reason: str
    path: str = ""
    object: str = ""
    expires: date | None = None
    line: int = 0


@dataclass(frozen=True)
class Settings:
    """`severities` maps rules or globs of rules to error, warning, info or off; the longest pattern that matches wins."""

    severities: Mapping[str, str] = field(default_factory=dict)
    labels: RequiredLabels = RequiredLabels()
    names: tuple[NamePattern, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def is_off(self, rule: str) -> bool:
        return self._said(rule) == OFF

    def severity(self, rule: str) -> Severity | None:
        """What devloop.yaml says of the rule, None where it says nothing."""
        said = self._said(rule)
        return Severity(said) if said and said != OFF else None

    def _said(self, rule: str) -> str:
        matching = [pattern for pattern in self.severities if fnmatchcase(rule, pattern)]
        return self.severities[max(matching, key=lambda pattern: (pattern == rule, len(pattern)))] if matching else ""
