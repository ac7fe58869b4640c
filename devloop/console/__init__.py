"""The only module that prints: a live view on a terminal, plain lines elsewhere, the report at the end. NO_COLOR is honoured."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from devloop.console.live import View
from devloop.console.text import COLOURS, heading, reasons, step_line, tree, verdict
from devloop.errors import DevloopError, InputError
from devloop.model.report import Event, Finding, Notice, Progress, Report, Severity, StepFinished
from devloop.output import FORMATS

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.live import Live


NO_LIMIT = 4096


class Console:
    """Shows events as they come (`emit`, from any thread) and the report at the end (`show`).

    With an output format other than text, standard output gets the report alone and everything else goes to standard error.
    """

    def __init__(self, output: str = "text") -> None:
        self._output = output
        self._rich: RichConsole = _rich(stderr=output != "text")
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
            line = self._view.take(event)
        stays = isinstance(event, StepFinished | Notice) or (isinstance(event, Progress) and event.done)
        if line is not None and (self._live is None or stays):
            self._rich.print(line)

    def show(self, report: Report) -> None:
        """The end of a run: what is ready, what is not and why, what to do next."""
        if self._output in FORMATS:
            sys.stdout.write(FORMATS[self._output](report))
            return
        if report.command == "doctor":
            self._show_diagnoses(report)
            return
        if report.command == "validate":
            for step in report.steps:
                self._rich.print(step_line(step))
        elif report.kustomizations:
            self._rich.print(tree(report.kustomizations, heading(report)))
        show_findings(self._rich, report.findings, groups=self._groups)
        for line in reasons(report):
            self._rich.print(line)
        self._rich.print(verdict(report))

    def _show_diagnoses(self, report: Report) -> None:
        from devloop.console.diagnoses import conclusion, diagnosis_lines

        for line in (*diagnosis_lines(report.diagnoses, self._rich.width), conclusion(report.diagnoses)):
            self._rich.print(line, soft_wrap=True)

    def error(self, error: DevloopError) -> None:
        """An error that ended the run before there was a report."""
        stderr = _rich(stderr=True)
        show_error(stderr, error.message, error.hint)
        problems = error.problems if isinstance(error, InputError) else ()
        if len(problems) > 1:
            findings = (Finding("input", Severity.ERROR, p.path, p.line, p.message, p.hint) for p in problems)
            show_findings(stderr, findings, groups=self._groups)

    def bug(self, where: str) -> None:
        """Something that must not happen happened; the traceback lies in a file."""
        show_error(_rich(stderr=True), "this is a bug in devloop", f"please report it with {where}")

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


def show_findings(rich: RichConsole, findings: Iterable[Finding], *, groups: bool) -> None:
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
