"""The only module that prints: a live view on a terminal, plain lines elsewhere, the report at the end. NO_COLOR is honoured."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from devloop.errors import DevloopError, InputError
from devloop.model.report import (
    Event,
    Finding,
    Notice,
    Outcome,
    Progress,
    Readiness,
    Reconciling,
    Report,
    Severity,
    Status,
    StepFinished,
    StepStarted,
)
from devloop.output import FORMATS

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

MARKS: Mapping[Status, tuple[str, str]] = {
    Status.CHANGED: ("✓", "green"),
    Status.UNCHANGED: ("✓", "dim green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", "dim"),
}
COLOURS: Mapping[Severity, str] = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


class Console:
    """Shows events as they come (`emit`, from any thread) and the report at the end (`show`).

    With an output format other than text, standard output gets the report alone and everything else goes to standard error.
    """

    def __init__(self, output: str = "text") -> None:
        from rich.console import Console as RichConsole

        self._output = output
        self._rich: RichConsole = RichConsole(stderr=output != "text", highlight=False, soft_wrap=True)
        self._lock = threading.Lock()
        self._view = _View()
        self._live: Live | None = None
        self._groups = os.environ.get("GITHUB_ACTIONS") == "true"

    def __enter__(self) -> Console:
        if self._rich.is_terminal and not self._rich.is_dumb_terminal:
            from rich.live import Live

            self._live = Live(self._view, console=self._rich, refresh_per_second=10, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def emit(self, event: Event) -> None:
        """Take one event in and show what it changes."""
        with self._lock:
            line = self._view.take(event)
        if line is not None and (self._live is None or isinstance(event, StepFinished | Notice)):
            self._rich.print(line)

    def show(self, report: Report) -> None:
        """The end of a run: what is ready, what is not and why, what to do next."""
        if self._output in FORMATS:
            sys.stdout.write(FORMATS[self._output](report))
            return
        if report.kustomizations:
            self._rich.print(_tree(report.kustomizations, _heading(report)))
        _show_findings(self._rich, report.findings, groups=self._groups)
        for line in _reasons(report):
            self._rich.print(line)
        self._rich.print(_verdict(report))

    def error(self, error: DevloopError) -> None:
        """An error that ended the run before there was a report."""
        stderr = _stderr()
        _fail(stderr, error.message, error.hint)
        problems = error.problems if isinstance(error, InputError) else ()
        if len(problems) > 1:
            findings = (Finding("input", Severity.ERROR, p.path, p.line, p.message, p.hint) for p in problems)
            _show_findings(stderr, findings, groups=self._groups)

    def bug(self, where: str) -> None:
        """Something that must not happen happened; the traceback lies in a file."""
        _fail(_stderr(), "this is a bug in devloop", f"please report it with {where}")

    def line(self, text: str) -> None:
        """One line of a command's own output."""
        self._rich.print(text, markup=False)

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A plain table, as wide as its content."""
        table = _table(*columns)
        for row in rows:
            table.add_row(*row)
        self._rich.print(table)


class _View:
    """What the live view shows: steps that run, programs that are being installed, the tree of Kustomizations."""

    def __init__(self) -> None:
        self._running: dict[str, float] = {}
        self._progress: dict[str, Progress] = {}
        self._kustomizations: tuple[Readiness, ...] = ()

    def take(self, event: Event) -> Text | None:
        """Fold an event in; the line to print for it, if any."""
        from rich.text import Text

        match event:
            case StepStarted(title):
                self._running[title] = time.monotonic()
            case StepFinished(outcome):
                self._running.pop(outcome.title, None)
                self._progress = {k: p for k, p in self._progress.items() if p.title != outcome.title}
                return _step_line(outcome)
            case Progress():
                return self._take_progress(event)
            case Notice(message, severity):
                return Text.assemble((f"{severity.value}: ", COLOURS[severity]), message)
            case Reconciling(kustomizations):
                return self._take_kustomizations(kustomizations)
            case _:
                pass
        return None

    def _take_progress(self, event: Progress) -> Text | None:
        from rich.text import Text

        known = self._progress.get(event.item)
        self._progress[event.item] = event
        if event.done:
            del self._progress[event.item]
            return Text(f"  {event.item}: done")
        tenth = int((event.fraction or 0) * 5)
        if known is not None and int((known.fraction or 0) * 5) == tenth:
            return None
        left = f", about {_duration(event.remaining)} left" if event.remaining else ""
        return Text(f"  {event.item}: {event.fraction or 0:.0%}{left}")

    def _take_kustomizations(self, kustomizations: tuple[Readiness, ...]) -> Text | None:
        """For plain output, a line for each Kustomization that became ready or failed."""
        from rich.text import Text

        before = {k.id: (k.ready, k.terminal) for k in self._kustomizations}
        self._kustomizations = kustomizations
        news = [k for k in kustomizations if (k.ready or k.terminal) and before.get(k.id) != (k.ready, k.terminal)]
        return Text("\n").join(_kustomization_line(k) for k in news) if news else None

    def __rich__(self) -> Table:
        from rich.table import Table

        grid = Table.grid()
        now = time.monotonic()
        for title, since in list(self._running.items()):
            grid.add_row(f"[cyan]⋯[/] {title}  [dim]{now - since:.1f} s[/]")
        for progress in list(self._progress.values()):
            grid.add_row(_bar(progress))
        if self._kustomizations:
            grid.add_row(_tree(self._kustomizations, ""))
        return grid


def _bar(progress: Progress) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    row = Table.grid(padding=(0, 1))
    fraction = progress.fraction
    row.add_row(
        f"  {progress.item:<24}",
        ProgressBar(total=1.0, completed=fraction or 0.0, width=30, pulse=fraction is None),
        f"{fraction:.0%}" if fraction is not None else "",
        f"[dim]{_duration(progress.remaining)} left[/]" if progress.remaining else "",
    )
    return row


def _step_line(outcome: Outcome) -> Text:
    from rich.text import Text

    mark, colour = MARKS[outcome.status]
    text = Text.assemble((mark, colour), f" {outcome.title:<12}", (f"{outcome.seconds:6.1f} s", "dim"))
    if outcome.message:
        text.append("  " + outcome.message, "" if outcome.status is not Status.UNCHANGED else "dim")
    return text


def _kustomization_line(k: Readiness) -> Text:
    from rich.text import Text

    mark, colour = ("✓", "green") if k.ready else ("✗", "red") if k.terminal else ("-", "dim") if k.suspended else ("⋯", "yellow")
    text = Text.assemble((mark, colour), f" {k.id}")
    if k.ready:
        return text.append(f"  {k.objects} object{'' if k.objects == 1 else 's'}  {k.seconds:.1f} s", "dim")
    return text.append("  suspended" if k.suspended else f"  {k.reason}: {' '.join(k.message.split())}", colour)


def _tree(kustomizations: tuple[Readiness, ...], heading: str) -> Tree:
    """Each Kustomization below the one that it waits for longest, in the order given."""
    from rich.tree import Tree

    tree = Tree(heading or "Kustomizations", guide_style="dim")
    branches: dict[str, tuple[int, Tree]] = {}
    for k in kustomizations:
        above = max((branches[d] for d in k.depends_on if d in branches), key=lambda branch: branch[0], default=(0, tree))
        branches[k.id] = (above[0] + 1, above[1].add(_kustomization_line(k)))
        for cause in k.causes:
            branches[k.id][1].add(f"[yellow]{_escaped(cause)}[/]")
    return tree


def _heading(report: Report) -> str:
    ready = sum(k.ready for k in report.kustomizations)
    revision = f" at {_escaped(report.revision[:17])}" if report.revision else ""
    return f"[bold]{report.environment}[/]: {ready} of {len(report.kustomizations)} Kustomizations ready{revision}"


def _reasons(report: Report) -> list[Text]:
    """What failed, what it blocks, and what to do."""
    from rich.text import Text

    lines = []
    for step in report.steps:
        if step.status is Status.FAILED:
            lines.append(Text.assemble(("error: ", "bold red"), f"{step.title}: {step.message}"))
            if step.hint:
                lines.append(Text.assemble(("hint: ", "cyan"), step.hint))
    for blocker, blocked in _blocked(report.kustomizations).items():
        lines.append(Text.assemble((blocker, "bold"), " blocks ", ", ".join(blocked)))
    return lines


def _blocked(kustomizations: tuple[Readiness, ...]) -> dict[str, list[str]]:
    """Kustomizations that are not ready and wait for nobody, each with everything that waits for it."""
    pending = {k.id: k for k in kustomizations if not k.ready}
    first = {i for i, k in pending.items() if not any(d in pending for d in k.depends_on)}
    blocked: dict[str, list[str]] = {}
    for start in first:
        reached = {start}
        while new := {i for i, k in pending.items() if i not in reached and reached.intersection(k.depends_on)}:
            reached |= new
        if len(reached) > 1:
            blocked[start] = sorted(reached - {start})
    return dict(sorted(blocked.items()))


def _verdict(report: Report) -> Text:
    from rich.text import Text

    if report.failure == 130:
        return Text(f"interrupted; go on with: devloop {report.command} {report.environment}", "yellow")
    if not report.ok:
        return Text.assemble(("✗ ", "red"), NEXT_FAILED.get(report.command, "").format(report.environment))
    return Text.assemble(("✓ ", "green"), NEXT_OK.get(report.command, "done").format(report.environment))


NEXT_OK: Mapping[str, str] = {
    "up": "healthy; edit something and run `devloop up {0}` again, or `devloop down {0}`",
    "down": "{0} is gone",
    "status": "healthy",
    "validate": "the repository is valid",
}
NEXT_FAILED: Mapping[str, str] = {
    "up": "not healthy; mend it and run `devloop up {0}` again, `devloop status {0}` shows where things stand",
    "down": "something of {0} may be left; run `devloop down {0}` again",
    "status": "not healthy",
    "validate": "the repository has errors",
}


def _fail(rich: RichConsole, message: str, hint: str) -> None:
    from rich.text import Text

    rich.print(Text.assemble(("error: ", "bold red"), message))
    if hint:
        rich.print(Text.assemble(("hint: ", "cyan"), hint))


def _show_findings(rich: RichConsole, findings: Iterable[Finding], *, groups: bool) -> None:
    from rich.text import Text

    for finding in findings:
        if groups:
            kind = "notice" if finding.severity is Severity.INFO else finding.severity.value
            rich.print(f"::{kind} file={finding.path},line={finding.line},title={finding.rule}::{finding.message}", markup=False)
        where = f"{finding.path}:{finding.line}" if finding.line else finding.path
        text = Text.assemble((where, "bold"), "  ", (finding.severity.value, COLOURS[finding.severity]), f"  {finding.message}")
        rich.print(text.append(f"  [{finding.rule}]", "dim"))
        if finding.hint:
            rich.print(Text.assemble(("  hint: ", "cyan"), finding.hint))


def _duration(seconds: float | None) -> str:
    if not seconds:
        return "0 s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _stderr() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(stderr=True, highlight=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
