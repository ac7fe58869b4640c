"""What the doctor says: a line for each check, aligned; below it the command that mends, never broken, so that it can be pasted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from devloop.model.diagnosis import Diagnosis, Level

if TYPE_CHECKING:
    from rich.text import Text

MARKS: Mapping[Level, tuple[str, str]] = {Level.OK: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.FAILED: ("✗", "red")}


def diagnosis_lines(diagnoses: Sequence[Diagnosis], width: int) -> Iterator[Text]:
    """`width` is the terminal's, in columns."""
    column = max((len(diagnosis.check) for diagnosis in diagnoses), default=0)
    shown = ""
    for diagnosis in diagnoses:
        yield _line(diagnosis, column, width, repeated=diagnosis.check == shown)
        shown = diagnosis.check


def _line(diagnosis: Diagnosis, column: int, width: int, *, repeated: bool) -> Text:
    from rich.text import Text

    mark, colour = MARKS[diagnosis.level]
    name = "" if repeated else diagnosis.check
    indent = " " * (column + 4)
    message = textwrap.wrap(diagnosis.message, max(20, width - len(indent)), break_long_words=False, break_on_hyphens=False)
    text = Text.assemble((mark, colour), f" {name:<{column}}  ")
    text.append(f"\n{indent}".join(message), "" if diagnosis.level is not Level.OK else "dim")
    if diagnosis.hint:
        text.append(f"\n{indent}").append("hint: ", "cyan").append(diagnosis.hint)
    return text


def conclusion(diagnoses: Sequence[Diagnosis]) -> Text:
    """How many stand in the way and how many are of concern."""
    from rich.text import Text

    failed = sum(diagnosis.level is Level.FAILED for diagnosis in diagnoses)
    warnings = sum(diagnosis.level is Level.WARNING for diagnosis in diagnoses)
    also = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    if failed:
        return Text.assemble(("✗ ", "red"), f"{failed} of {len(diagnoses)} checks failed{also}")
    return Text.assemble(("✓ ", "green"), f"nothing stands in the way{also}")
