"""The checks of `devloop doctor` as rich renderables, with hints below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from devloop.console.wrapping import Hanging, hint_line, styled
from devloop.model.doctor.diagnosis import Diagnosis, Level
from devloop.model.messages import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

# Columns for the mark and the spaces around the name.
MARGIN = 4

MARKS: Mapping[Level, tuple[str, str]] = {Level.OK: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.FAILED: ("✗", "red")}


def diagnosis_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[RenderableType]:
    column = max((len(diagnosis.check) for diagnosis in diagnoses), default=0)
    shown = ""
    for diagnosis in diagnoses:
        yield _line(diagnosis, column, repeated=diagnosis.check == shown)
        if diagnosis.hint:
            yield hint_line(diagnosis.hint, column + MARGIN)
        shown = diagnosis.check


def _line(diagnosis: Diagnosis, column: int, *, repeated: bool) -> Hanging:
    mark, colour = MARKS[diagnosis.level]
    text = styled((mark, colour), f" {'' if repeated else diagnosis.check:<{column}}  ")
    return Hanging(text.append(diagnosis.message, "dim" if diagnosis.level is Level.OK else ""), column + MARGIN)


def conclusion(diagnoses: Sequence[Diagnosis]) -> Text:
    failed = sum(diagnosis.level is Level.FAILED for diagnosis in diagnoses)
    warnings = sum(diagnosis.level is Level.WARNING for diagnosis in diagnoses)
    also = f", {counted(warnings, 'warning')}" if warnings else ""
    if failed:
        return styled(("✗ ", "red"), f"{failed} of {len(diagnoses)} checks failed{also}")
    return styled(("✓ ", "green"), f"all required checks passed{also}")
