"""The only module that prints: a live view on a terminal, plain lines elsewhere, the report at the end. NO_COLOR is honoured."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.console.findings import findings_by_file, problem_lines
from devloop.console.live import View
from devloop.console.spoken import Spoken
from devloop.console.text import heading, reasons, step_line, tree, verdict
from devloop.errors import DevloopError, InputError
from devloop.model.report import Event, Notice, Progress, Report, StepFinished
from devloop.output import FORMATS

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.live import Live

    from devloop.validation.explanation import Explanation


NO_LIMIT = 4096


class Console:
    """Shows events as they come (`emit`, from any thread) and the report at the end (`show`).

    With an output format other than text, standard output gets the report alone and everything else goes to standard error; with a
    `file`, the report goes there and people read the text as ever.
    """

    def __init__(self, output: str = "text", file: Path | None = None, spoken: Spoken | None = None) -> None:
        self._output = output
        self._file = file
        self._spoken = spoken or Spoken()
        self._rich: RichConsole = _rich(stderr=output != "text" and file is None)
        self._lock = threading.Lock()
        self._view = View()
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
            line = self._view.take(self._spoken.event(event))
        stays = isinstance(event, StepFinished | Notice) or (isinstance(event, Progress) and event.done)
        if line is not None and (self._live is None or stays):
            self._rich.print(line)

    def show(self, report: Report) -> None:
        """The end of a run: what is ready, what is not and why, what to do next."""
        if self._output in FORMATS:
            text = FORMATS[self._output](report)
            if self._file is None:
                sys.stdout.write(text)
                return
            self._file.write_text(text, encoding="utf-8")
        report = self._spoken.report(report)
        if report.command == "doctor":
            self._show_diagnoses(report)
            return
        if report.command == "validate":
            for step in report.steps:
                self._rich.print(step_line(step, timed=False))
        elif report.kustomizations:
            self._rich.print(tree(report.kustomizations, heading(report)))
        self._show_findings(self._rich, report)
        for line in reasons(report):
            self._rich.print(line)
        self._rich.print(verdict(report, self._spoken))

    def _show_diagnoses(self, report: Report) -> None:
        from devloop.console.diagnoses import conclusion, diagnosis_lines

        for line in (*diagnosis_lines(report.diagnoses, self._rich.width), conclusion(report.diagnoses)):
            self._rich.print(line, soft_wrap=True)

    def _show_findings(self, rich: RichConsole, report: Report) -> None:
        """By file; in a workflow of GitHub as annotations besides."""
        for line in findings_by_file(report.findings, report.environment.split(", ")):
            rich.print(line)
        if self._groups:
            from devloop.output.github import annotation

            for finding in report.findings:
                rich.print(annotation(finding), markup=False)

    def error(self, error: DevloopError) -> None:
        """An error that ended the run before there was a report."""
        stderr, error = _rich(stderr=True), self._spoken.error(error)
        show_error(stderr, error.message, error.hint)
        problems = error.problems if isinstance(error, InputError) else ()
        if len(problems) > 1:
            for problem in problems:
                for line in problem_lines(problem):
                    stderr.print(line)

    def bug(self, where: str) -> None:
        """Something that must not happen happened; the traceback lies in a file."""
        show_error(_rich(stderr=True), "this is a bug in devloop", f"please report it with {where}")

    def explain(self, explanations: Sequence[Explanation]) -> None:
        """What rules are for, and an example where there is one alone."""
        from devloop.console.explanations import explained

        for line in explained(explanations):
            self._rich.print(line)

    def manifests(self, text: str) -> None:
        """YAML on standard output, as it is."""
        sys.stdout.write(text)

    def difference(self, text: str) -> None:
        """A unified diff on standard output, coloured on a terminal; nothing at all where nothing differs."""
        from devloop.console.explanations import diff_line

        if not sys.stdout.isatty():
            sys.stdout.write(text)
            return
        for line in text.splitlines():
            _rich(stderr=False).print(diff_line(line), soft_wrap=True)

    def line(self, text: str) -> None:
        """One line of a command's own output."""
        self._rich.print(text, markup=False)

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A plain table, as wide as its content."""
        table = _table(*columns)
        for row in rows:
            table.add_row(*row)
        self._rich.print(table)


def show_error(rich: RichConsole, message: str, hint: str) -> None:
    from rich.text import Text

    rich.print(Text.assemble(("error: ", "bold red"), message))
    if hint:
        rich.print(Text.assemble(("hint: ", "cyan"), hint))


def _rich(*, stderr: bool) -> RichConsole:
    """As wide as the terminal; where there is none, nobody wants lines to be broken."""
    from rich.console import Console as RichConsole

    rich = RichConsole(stderr=stderr, highlight=False)
    return rich if rich.is_terminal else RichConsole(stderr=stderr, highlight=False, width=NO_LIMIT)


def _table(*columns: str) -> Any:
    """Only the last column may be broken."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    return table
