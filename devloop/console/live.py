"""The live view: running steps, installs in progress, the tree of Kustomizations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from devloop.console.text import COLOURS, cause_lines, duration, kustomization_line, step_line, tree
from devloop.console.wrapping import Hanging, hint_line, styled
from devloop.model.causes.cause import Cause
from devloop.model.messages import join_some
from devloop.model.report import Event, Notice, Progress, Readiness, Reconciling, StepFinished, StepStarted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

# Causes of everything that is on its way.
VAGUE = frozenset({
    "kustomization/missing", "kustomization/progressing", "object/terminating", "release/progressing", "workload/not-available",
})  # fmt: skip
# Seconds without output.
PATIENCE = 1.0
SLOW = 10  # times as long for a cause that may go away on its own
MOST_NAMES = 3


class View:
    """`follows` is for a run without an end: plain output reports every Kustomization at once."""

    def __init__(self, *, follows: bool = False) -> None:
        self._patience = 0.0 if follows else PATIENCE
        self._began = time.monotonic()
        self._running: dict[str, float] = {}
        self._progress: dict[str, Progress] = {}
        self._kustomizations: tuple[Readiness, ...] = ()
        self._causes: tuple[Cause, ...] = ()
        self._since: dict[Cause, float] = {}
        self._shown: set[str] = set()

    def forget(self) -> None:
        """The run is over: nothing is under way, and causes may be shown again."""
        self._running, self._progress, self._since, self._shown = {}, {}, {}, set()

    def take(self, event: Event) -> RenderableType | None:
        """Updates the view and returns the line to print, if any."""
        match event:
            case StepStarted(title):
                self._running[title] = time.monotonic()
            case StepFinished(outcome):
                self._running.pop(outcome.title, None)
                self._progress = {k: p for k, p in self._progress.items() if p.title != outcome.title}
                return step_line(outcome) if outcome.ran else None
            case Progress():
                return self._take_progress(event)
            case Notice():
                return _notice(event)
            case Reconciling(kustomizations, causes):
                return self._take_kustomizations(kustomizations, causes)
        return None

    def _take_progress(self, event: Progress) -> Text | None:
        known = self._progress.get(event.item)
        self._progress[event.item] = event
        if event.done:
            del self._progress[event.item]
            return styled(f"  {event.item}: done")
        if known is not None and int((known.fraction or 0) * 5) == int((event.fraction or 0) * 5):
            return None
        left = f", about {duration(event.remaining)} left" if event.remaining else ""
        return styled(f"  {event.item}: {event.fraction or 0:.0%}{left}")

    def _take_kustomizations(self, kustomizations: tuple[Readiness, ...], causes: tuple[Cause, ...]) -> RenderableType | None:
        """For plain output, a line per Kustomization that became ready or failed after a long wait, and per cause that lasts."""
        from rich.console import Group

        before = {k.id: (k.ready, k.terminal) for k in self._kustomizations}
        self._kustomizations = kustomizations
        changed = [k for k in kustomizations if (k.ready or k.terminal) and before.get(k.id) != (k.ready, k.terminal)]
        lines: list[RenderableType] = [Hanging(kustomization_line(k), 2) for k in changed if k.seconds >= self._patience]
        lines += [line for cause in self._lasting(causes) for line in cause_lines(cause)]
        return Group(*lines) if lines else None

    def _lasting(self, causes: tuple[Cause, ...]) -> list[Cause]:
        """Causes that have been there for a moment, each once: the report has those of the end."""
        self._causes, now = causes, time.monotonic()
        self._since = {cause: self._since.get(cause, now) for cause in causes if cause.id not in VAGUE}
        long = self._patience * SLOW
        new = [c for c, since in self._since.items() if now - since >= (self._patience if c.final else long) and str(c) not in self._shown]
        self._shown |= set(map(str, new))
        return new

    def waiting(self) -> RenderableType | None:
        """What is waited for, in one line: the running steps with their last progress; None if nothing is."""
        now = time.monotonic()
        steps = [f"{title} {now - since:.0f} s" for title, since in self._running.items()] or [f"for {now - self._began:.0f} s"]
        items = [f"{p.item} {p.fraction:.0%}" if p.fraction is not None else p.item for p in self._progress.values()]
        pending = [k.id for k in self._kustomizations if not (k.ready or k.suspended)]
        if pending:
            ready = len(self._kustomizations) - len(pending)
            items.append(f"{ready} of {len(self._kustomizations)} Kustomizations ready, not {join_some(pending, MOST_NAMES)}")
        items += [str(cause) for cause in self._causes[:1]]
        return Hanging(styled("still running: ", ", ".join(steps), f" ({'; '.join(items)})" if items else "", style="dim"), 2)

    def __rich__(self) -> Table:
        from rich.table import Table

        grid = Table.grid()
        now = time.monotonic()
        for title, since in list(self._running.items()):
            grid.add_row(f"[cyan]⋯[/] {title:<12}[dim]{now - since:6.1f} s[/]")
        for progress in list(self._progress.values()):
            grid.add_row(_bar(progress))
        if self._kustomizations:
            grid.add_row(tree(self._kustomizations, "", self._causes))
        return grid


def _notice(notice: Notice) -> RenderableType:
    from rich.console import Group

    prefix = f"{notice.severity.value}: "
    line = Hanging(styled((prefix, COLOURS[notice.severity]), notice.message), len(prefix))
    return Group(line, hint_line(notice.hint, 2)) if notice.hint else line


def _bar(progress: Progress) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    row = Table.grid(padding=(0, 1))
    fraction = progress.fraction
    row.add_row(
        f"  {progress.item:<24}",
        ProgressBar(total=1.0, completed=fraction or 0.0, width=30, pulse=fraction is None),
        f"{fraction:.0%}" if fraction is not None else "",
        f"[dim]{duration(progress.remaining)} left[/]" if progress.remaining else "",
    )
    return row
