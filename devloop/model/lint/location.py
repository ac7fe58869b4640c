"""Where a rule points, and what it says there. Lines are looked up only for what was found, by whoever can read files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devloop.model.report import Severity

# A key, an index, or the fields that mark an item of a list: {"name": "apps"}.
Step = str | int | Mapping[str, str]


@dataclass(frozen=True)
class Location:
    """A field of the object `kind` `namespace`/`name` in a file, relative to the repository root; `line` where it is known already."""

    path: str = ""
    line: int = 0
    kind: str = ""
    name: str = ""
    field: tuple[Step, ...] = ()
    namespace: str = ""

    @property
    def object(self) -> str:
        """Kind/namespace/name, as exemptions name objects."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


@dataclass(frozen=True)
class Fault:
    """One thing that a rule found. Message: lower case, no full stop, the same in every environment. Hint: what to do next.

    `severity` where the rule's own does not hold. `kustomization` is namespace/name; both it and `environment` are '' where the fault
    stands in the repository as such. Use Unit.fault and Unit.about instead of filling them in.
    """

    message: str
    place: Location
    hint: str = ""
    severity: Severity | None = None
    environment: str = ""
    kustomization: str = ""
