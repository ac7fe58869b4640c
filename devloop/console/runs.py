"""The view of a command that runs again after every edit: a few lines per run, below them the state of the environment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from devloop.console.live import View
from devloop.console.text import reasons, tree
from devloop.console.timeline import timeline_table
from devloop.console.wrapping import Hanging, styled
from devloop.model.messages import join_some
from devloop.model.report import Event, Report, RunEnded, RunStarted, Status, StepFinished

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MOST_PATHS = 3
AFFECTED = "affected"  # the step that tells which Kustomizations an edit affects
KEYS = "q quit   r run now   ? help"
HELP = (
    "Every edit below the repository starts a run: validation, push, and Flux until everything is ready.",
    "A later edit supersedes the run. Ignored files and editors' temporary files start none.",
    "● marks the critical path: what a faster run would have to shorten.",
)


class RunsView(View):
    """As View, but quiet about steps that succeed."""

    def __init__(self) -> None:
        super().__init__(follows=True)
        self._report: Report | None = None
        self._is_running = False
        self._helps = False

    def toggle_help(self) -> None:
        self._helps = not self._helps

    def take(self, event: Event) -> RenderableType | None:
        match event:
            case RunStarted(paths):
                self._is_running = True
                what = join_some(paths, MOST_PATHS) if paths else "the working tree"
                return Hanging(styled((time.strftime("%H:%M:%S"), "dim"), "  ", what), 10)
            case RunEnded(None):
                self._is_running = False
                self.forget()
                return Hanging(styled("          superseded by a later edit", style="dim"), 10)
            case RunEnded(report) if report:
                self._is_running, self._report = False, report
                self.forget()
                return self._conclusion(report)
            case StepFinished(outcome):
                line = super().take(event)
                if outcome.title == AFFECTED and outcome.status is not Status.FAILED and outcome.ran:
                    return Hanging(styled(f"          affects {outcome.message}", style="dim"), 10)
                return line if outcome.status is Status.FAILED else None
        return super().take(event)

    def waiting(self) -> RenderableType | None:
        return super().waiting() if self._is_running else None

    def _conclusion(self, report: Report) -> RenderableType:
        from rich.console import Group

        mark, colour = ("✓", "green") if report.ok else ("✗", "red")
        took = max((span.end for span in report.timeline), default=0.0)
        state = "healthy" if report.ok else "not healthy"
        revision = f" at {report.revision[:17]}" if report.revision else ""
        line = Hanging(styled((mark, colour), f" {report.environment} is {state}{revision}", (f"  {took:.2f} s", "dim")), 2)
        if report.ok:
            return line
        below = [tree(report.kustomizations, "", report.causes)] if report.causes else []
        return Group(*below, *reasons(report), line)

    def __rich__(self) -> Table:
        from rich.table import Table

        grid = Table.grid()
        if self._is_running:
            grid.add_row(super().__rich__())
        elif self._kustomizations:
            grid.add_row(tree(self._kustomizations, "", self._causes))
        if self._report and self._report.timeline and not self._is_running:
            grid.add_row(timeline_table([span for span in self._report.timeline if span.critical]))
        for line in HELP if self._helps else ():
            grid.add_row(Hanging(styled(line, style="dim"), 0))
        grid.add_row(styled(KEYS, style="dim"))
        return grid
