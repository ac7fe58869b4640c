"""What a file may say, as a table: dotted path -> Field. KSail's generations and Kind's configuration are such tables.

In a table `nodes[].role` is the field `role` of every item of the list `nodes`; sections are whatever has fields below it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class FieldSchema:
    """What a leaf may hold.

    `shapes`: text, integer, boolean, texts (a list), labels (a mapping of texts), flags (a mapping of booleans), empty (a mapping without
    keys). `allowed` are the words a text may be, `former` what others called them, `pattern` and `example` what it must look like,
    `instead` the field that took the place of a deprecated one.
    """

    shapes: tuple[str, ...] = ("text",)
    allowed: tuple[str, ...] = ()
    former: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""
    example: str = ""
    longest: int = 0
    lowest: int | None = None
    highest: int | None = None
    required: bool = False
    instead: str = ""


TEXT = FieldSchema()
INTEGER = FieldSchema(("integer",))
COUNT = FieldSchema(("integer",), lowest=0)
BOOLEAN = FieldSchema(("boolean",))
TEXTS = FieldSchema(("texts",))
LABELS = FieldSchema(("labels",))
EMPTY = FieldSchema(("empty",))


def words(*allowed: str, **former: str) -> FieldSchema:
    """A text that is one of `allowed`; `former` maps words of other generations to today's."""
    return FieldSchema(allowed=allowed, former=former)


def toggle(*allowed: str) -> FieldSchema:
    """Enabled or Disabled (and what else is `allowed`), or a boolean in their place."""
    return FieldSchema(("text", "boolean"), allowed or ("Enabled", "Disabled"))


def instead(replacement: str, old: FieldSchema) -> FieldSchema:
    """`old`, deprecated in favour of the field `replacement`."""
    return replace(old, instead=replacement)


def table(sections: Mapping[str, Mapping[str, FieldSchema]]) -> dict[str, FieldSchema]:
    """Section -> key -> Field, flattened to dotted paths; the section '' is the top of the file."""
    return {f"{section}.{key}".lstrip("."): rule for section, keys in sections.items() for key, rule in keys.items()}
