"""Where the time of a run went, as a table in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from devloop.model.report import Span

if TYPE_CHECKING:
    from rich.table import Table

SHORTEST, INSTANT = 0.01, 0.0005  # seconds; shorter spans are left out: others, and those that something waited for


def timeline_table(spans: Sequence[Span]) -> Table:
    """A row per span, those on the critical path marked."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, column in enumerate(("timeline (ms)", "at", "took", "")):
        table.add_column(column, justify="right" if number in (1, 2) else "left", no_wrap=number < 3)
    for span in spans:
        if span.seconds >= (INSTANT if span.critical else SHORTEST):
            parts = "  ".join(f"{name} {_ms(seconds)}" for name, seconds in span.phases if _ms(seconds) != "0" and len(span.phases) > 1)
            mark = "● " if span.critical else "  "
            table.add_row(mark + span.title, _ms(span.start), _ms(span.seconds), parts, style="" if span.critical else "dim")
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
