"""The settings of devloop.yaml: severities, conventions, exemptions. No I/O; see docs/validation.md."""

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
    """Names of `kinds` (empty for all) must match `pattern` as a whole, like `example`."""

    pattern: Expression
    kinds: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class RequiredLabels:
    """Objects of `kinds` (empty for all) must have the labels `names`."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exemption:
    """Accepts findings of `rule` at `path` about `object` (Kind/namespace/name) up to and including the day `expires`.

    The three are globs; * also matches slashes, an empty one matches everything. `line` is that of devloop.yaml.
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
        return self._configured(rule) == OFF

    def severity(self, rule: str) -> Severity | None:
        severity = self._configured(rule)
        return Severity(severity) if severity and severity != OFF else None

    def _configured(self, rule: str) -> str:
        matching = [pattern for pattern in self.severities if fnmatchcase(rule, pattern)]
        return self.severities[max(matching, key=lambda pattern: (pattern == rule, len(pattern)))] if matching else ""
