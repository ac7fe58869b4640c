"""Where a rule points, and what it says there. Lines are looked up only for what was found, by whoever can read files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A key, an index, or the fields that mark an item of a list: {"name": "apps"}.
Step = str | int | Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """A field of the object `kind` `name` in a file, relative to the repository root; `line` where it is known already."""

    path: str = ""
    line: int = 0
    kind: str = ""
    name: str = ""
    field: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One thing that a rule found. Message: lower case, no full stop. Hint: what to do next."""

    message: str
    place: Place
    hint: str = ""
