"""A problem, its location and a hint: one type for bad input, rules, reports and output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter

from devloop.hint import Hint

# A key, an index, or fields that identify an item of a list: {"name": "apps"}.
FieldStep = str | int | Mapping[str, str]

# The rule of problems in the input of a command.
INPUT = "input"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Location:
    """A field of an object in the file `path`, relative to the repository root; `line` from 1, 0 if unknown."""

    path: str = ""
    line: int = 0
    kind: str = ""
    name: str = ""
    field: tuple[FieldStep, ...] = field(default=(), hash=False)  # a mapping has no hash
    namespace: str = ""

    @property
    def object(self) -> str:
        """Kind/namespace/name, as in exemptions."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.path and self.line else self.path


@dataclass(frozen=True)
class Related:
    """Another location of a diagnostic; `message` says what is there: "a patch for the object"."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.message} in {Location(self.path, self.line)}"


@dataclass(frozen=True, order=True)
class Scope:
    """An environment, or a Kustomization (namespace/name) in it."""

    environment: str
    kustomization: str = ""


@dataclass(frozen=True)
class Snippet:
    """The lines around a location from line `first`; `start` to `end` (from 0) of `line` is highlighted."""

    first: int
    lines: tuple[str, ...]
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Diagnostic:
    """Message: lower case, no full stop, the same in every environment. Hint: what to do next.

    A rule leaves `rule` empty, and `severity` None unless it differs from the rule's own; both are set in every report. `scopes` are all
    environments and Kustomizations that have it, sorted. Where a patch sets the field, `location` is the patch and `related` the object.
    `arguments` are the parts of the message that vary, by name; never a secret.
    """

    message: str
    location: Location = Location()
    hint: Hint = ""
    severity: Severity | None = None
    scopes: tuple[Scope, ...] = ()
    rule: str = ""
    related: tuple[Related, ...] = ()
    snippet: Snippet | None = field(default=None, compare=False)
    arguments: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        template: str,
        location: Location = Location(),
        hint: Hint = "",
        severity: Severity | None = None,
        scopes: tuple[Scope, ...] = (),
        /,
        **arguments: object,
    ) -> Diagnostic:
        """A message from a template like "{object} has no namespace"; arguments that the template does not name are dropped."""
        names = dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name)
        texts = {name: str(arguments[name]) for name in names}
        return cls(template.format(**texts), location, hint, severity, scopes, arguments=texts)

    @classmethod
    def at(cls, path: str, line: int, message: str, hint: Hint = "", severity: Severity = Severity.ERROR) -> Diagnostic:
        """A problem in the input; `path` as the user types it."""
        return cls(message, Location(path, line), hint, severity, rule=INPUT)

    @property
    def path(self) -> str:
        return self.location.path

    @property
    def line(self) -> int:
        return self.location.line

    @property
    def object(self) -> str:
        return self.location.object

    @property
    def family(self) -> str:
        return self.rule.partition("/")[0]

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(sorted({scope.environment for scope in self.scopes}))

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *(related.path for related in self.related))

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.path else self.message
