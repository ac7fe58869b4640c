"""The schema of a file as a table: dotted path -> FieldSchema. `nodes[].role` is the field `role` of every item of the list `nodes`,
`environments.*.path` the field `path` of every entry of the mapping `environments`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class FieldSchema:
    """`shapes`: text, integer, boolean, texts (a list), labels (a mapping of texts), flags (a mapping of booleans), empty (a mapping).

    `allowed` are the values of an enum, `former` maps other generations' values to them, `instead` replaces a deprecated field.
    `any_case`: values of the enum count in any letter case. `any_scalar`: numbers and booleans count as text, as written.
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
    any_case: bool = False
    any_scalar: bool = False
    instead: str = ""


TEXT = FieldSchema()
INTEGER = FieldSchema(("integer",))
COUNT = FieldSchema(("integer",), lowest=0)
BOOLEAN = FieldSchema(("boolean",))
TEXTS = FieldSchema(("texts",))
LABELS = FieldSchema(("labels",))
EMPTY = FieldSchema(("empty",))


def words(*allowed: str, **former: str) -> FieldSchema:
    return FieldSchema(allowed=allowed, former=former)


def toggle(*allowed: str) -> FieldSchema:
    """Enabled or Disabled (or one of `allowed`), or a boolean."""
    return FieldSchema(("text", "boolean"), allowed or ("Enabled", "Disabled"))


def instead(replacement: str, old: FieldSchema) -> FieldSchema:
    return replace(old, instead=replacement)


def table(sections: Mapping[str, Mapping[str, FieldSchema]]) -> dict[str, FieldSchema]:
    """Section -> key -> schema, flattened to dotted paths; the section '' is the top of the file."""
    return {f"{section}.{key}".lstrip("."): rule for section, keys in sections.items() for key, rule in keys.items()}
