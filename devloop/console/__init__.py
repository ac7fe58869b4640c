"""The only module that prints: a live view on a terminal, plain lines elsewhere, the report at the end. NO_COLOR is honoured."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.console.command_hints import CommandContext
from devloop.console.diagnoses import conclusion, diagnosis_lines
from devloop.console.explanations import diff_line, explained
from devloop.console.findings import findings_by_file, problem_lines
from devloop.console.live import View
from devloop.console.text import error_line, heading, reasons, step_line, tree, verdict
from devloop.console.wrapping import Whole, hint_line
from devloop.errors import DevloopError, InputError
from devloop.hint import Hint
from devloop.model.commands import Target
from devloop.model.report import Event, Notice, Progress, Report, StepFinished
from devloop.output import FORMATS, TEXT
from devloop.output.github import annotation

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table

    from devloop.lint.explanation import Explanation


NO_LIMIT = 4096

# What makes a terminal of anything, for rich.
_TERMINALS = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"})


class Console:
    """Shows events as they come (`emit`, from any thread) and the report at the end (`show`).

    With an output format other than text, standard output gets the report alone and everything else goes to standard error; with a
    `file`, the report goes there and people read the text as ever.
    """

    def __init__(
        self, output: str = TEXT, file: Path | None = None, spoken: CommandContext | None = None, *, follows: bool = False
    ) -> None:
        self._output = output
        self._file = file
        self._spoken = spoken or CommandContext()
        self._alone = output != TEXT and file is None
        self._lock = threading.Lock()
        self._view = View(follows=follows)
        self._live: Live | None = None
        self._groups = os.environ.get("GITHUB_ACTIONS") == "true"

    @cached_property
    def _rich(self) -> RichConsole:
        return _rich(stderr=self._alone)

    def __enter__(self) -> Console:
        # Where nobody looks on, nothing may have to be drawn at all, or not before the first step is done.
        stream = sys.stderr if self._alone else sys.stdout
        if not stream.isatty() and _TERMINALS.isdisjoint(os.environ):
            return self
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
            line = self._view.take(self._spoken.event(event))
        stays = isinstance(event, StepFinished | Notice) or (isinstance(event, Progress) and event.done)
        if line is not None and (self._live is None or stays):
            _print(self._rich, line)

    def show(self, report: Report) -> None:
        """The end of a run: what is ready, what is not and why, what to do next."""
        if self._output in FORMATS:
            text = FORMATS[self._output].write(report)
            if self._file is None:
                sys.stdout.write(text)
                return
            self._file.write_text(text, encoding="utf-8")
        report = self._spoken.report(report)
        if report.target is Target.MACHINE:
            self._show_diagnoses(report)
            return
        if report.target is Target.REPOSITORY:
            for step in report.steps:
                _print(self._rich, step_line(step, timed=False))
        elif report.kustomizations:
            _print(self._rich, tree(report.kustomizations, heading(report)))
        self._show_findings(self._rich, report)
        for line in reasons(report):
            _print(self._rich, line)
        for line in verdict(report, self._spoken):
            _print(self._rich, line)

    def _show_diagnoses(self, report: Report) -> None:
        for line in (*diagnosis_lines(report.diagnoses), conclusion(report.diagnoses)):
            _print(self._rich, line)

    def _show_findings(self, rich: RichConsole, report: Report) -> None:
        """By file; in a workflow of GitHub as annotations besides."""
        for line in findings_by_file(report.findings, report.environment.split(", ")):
            _print(rich, line)
        if self._groups:
            for finding in report.findings:
                rich.print(annotation(finding), markup=False, soft_wrap=True)

    def error(self, error: DevloopError) -> None:
        """An error that ended the run before there was a report."""
        stderr, error = _rich(stderr=True), self._spoken.error(error)
        show_error(stderr, error.message, error.hint)
        problems = error.problems if isinstance(error, InputError) else ()
        if len(problems) > 1:
            for problem in problems:
                for line in problem_lines(problem):
                    _print(stderr, line)

    def bug(self, where: str) -> None:
        """Something that must not happen happened; the traceback lies in a file."""
        show_error(_rich(stderr=True), "this is a bug in devloop", f"please report it with {where}")

    def explain(self, explanations: Sequence[Explanation]) -> None:
        """What rules are for, and an example where there is one alone."""
        for line in explained(explanations):
            self._rich.print(line)

    def manifests(self, text: str) -> None:
        """YAML on standard output, as it is."""
        sys.stdout.write(text)

    def difference(self, text: str) -> None:
        """A unified diff on standard output, coloured on a terminal; nothing at all where nothing differs."""
        if not sys.stdout.isatty():
            sys.stdout.write(text)
            return
        for line in text.splitlines():
            _rich(stderr=False).print(diff_line(line), soft_wrap=True)

    def line(self, text: str) -> None:
        """One line of a command's own output."""
        from rich.text import Text

        _print(self._rich, Whole(Text(text)))

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A plain table, as wide as its content; where that is too wide, without its last column, which a pipe always gets."""
        table = _table(columns, rows)
        if self._rich.measure(table, options=self._rich.options.update(width=NO_LIMIT)).maximum > self._rich.width:
            self._rich.print(_table(columns[:-1], rows))
            self._rich.print(f"the column {columns[-1]} needs a wider terminal, or a pipe", style="dim")
            return
        self._rich.print(table)


def show_error(rich: RichConsole, message: str, command: Hint) -> None:
    _print(rich, error_line(message))
    if command:
        _print(rich, hint_line(command))


def _print(rich: RichConsole, line: RenderableType) -> None:
    """Nothing is cut off: a command that is too long goes on in the terminal's next line."""
    rich.print(line, crop=False)


def _rich(*, stderr: bool) -> RichConsole:
    """As wide as the terminal; where there is none, nobody wants lines to be broken."""
    from rich.console import Console as RichConsole

    rich = RichConsole(stderr=stderr, highlight=False)
    return rich if rich.is_terminal else RichConsole(stderr=stderr, highlight=False, width=NO_LIMIT)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    """Numbers with their units to the right, all else to the left; of longer rows only the first columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = any(row[number][:1].isdigit() and " " in row[number] for row in rows)
        table.add_column(column, no_wrap=True, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*row[: len(columns)])
    return table
