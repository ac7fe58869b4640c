"""The only package that prints: a live view on a terminal, plain lines elsewhere, the report at the end. Honours NO_COLOR."""

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
from devloop.console.event_log import EventLog
from devloop.console.explanations import diff_line, explained
from devloop.console.findings import findings_by_file, problem_lines
from devloop.console.heartbeat import Heartbeat
from devloop.console.live import View
from devloop.console.text import error_line, heading, reasons, step_line, tree, verdict
from devloop.console.timeline import timeline_table
from devloop.console.wrapping import Whole, hint_line, styled
from devloop.diagnostic import Diagnostic
from devloop.errors import DevloopError, InputError
from devloop.hint import Hint
from devloop.model.commands import COMMANDS, Target
from devloop.model.report import Event, Found, Notice, Progress, Report, RunEnded, RunStarted, StepFinished
from devloop.output import FORMATS, TEXT
from devloop.output.github import annotation, cause_annotation
from devloop.output.step_summary import summary_file, to_markdown

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table

    from devloop.lint.explanation import Explanation


NO_LIMIT = 4096
REFRESH = 0.1  # seconds between two refreshes of the live view

# Variables that make rich treat any stream as a terminal.
_TERMINALS = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"})


class Console:
    """Shows events as they come (`emit`, from any thread) and the report at the end (`show`).

    With an output format other than text, the report goes to `file` or, alone, to standard output, and everything else to standard error;
    so it does with `to_stderr`. `events` is the event stream.
    """

    def __init__(
        self,
        output: str = TEXT,
        file: Path | None = None,
        hints: CommandContext | None = None,
        *,
        view: View | None = None,
        to_stderr: bool = False,
    ) -> None:
        self._output = output
        self._file = file
        self._hints = hints or CommandContext()
        self._to_stderr = to_stderr or (output != TEXT and file is None)
        self.events = EventLog(self._lost_events)
        self._lock = threading.Lock()
        self._view = view or View()
        self._live: Live | None = None
        self._closed = threading.Event()
        self._heartbeat = Heartbeat(self._show_waiting)
        self._shown: tuple[Diagnostic, ...] = ()

    @cached_property
    def _rich(self) -> RichConsole:
        return _rich(stderr=self._to_stderr)

    def __enter__(self) -> Console:
        if self._is_interactive:
            from rich.live import Live

            # Rich's own refresh may come between the two halves of a print, and then leaves a copy of the view behind.
            self._live = Live(self._view, console=self._rich, auto_refresh=False, transient=True)
            self._live.start()
            threading.Thread(target=self._refresh, args=(self._live,), name="live", daemon=True).start()
        else:
            self._heartbeat.start()
        return self

    @property
    def _is_interactive(self) -> bool:
        # Without a terminal, rich is not needed until the first step has finished.
        stream = sys.stderr if self._to_stderr else sys.stdout
        if not stream.isatty() and _TERMINALS.isdisjoint(os.environ):
            return False
        return self._rich.is_terminal and not self._rich.is_dumb_terminal

    def __exit__(self, *_: object) -> None:
        self._heartbeat.stop()
        self._closed.set()
        with self._lock:
            if self._live:
                self._live.stop()
                self._live = None

    def _refresh(self, live: Live) -> None:
        while not self._closed.wait(REFRESH):
            with self._lock:
                if self._live is live:
                    live.refresh()

    def emit(self, event: Event) -> None:
        """Shows an event; any thread may call it."""
        self.events.take(event)
        event = self._hints.event(event)
        if isinstance(event, RunStarted):
            self._shown = ()
        if isinstance(event, Found):
            self._found(event.findings)
            return
        permanent = isinstance(event, StepFinished | Notice | RunStarted | RunEnded) or (isinstance(event, Progress) and event.done)
        with self._lock:
            line = self._view.take(event)
            if line is not None and (self._live is None or permanent):
                self._heartbeat.note()
                _print(self._rich, line)

    def _lost_events(self, error: OSError) -> None:
        line = error_line(f"the run goes on without --events: {error.strerror}")
        with self._lock:
            self._heartbeat.note()
            _print(self._rich, line)

    def _show_waiting(self) -> None:
        with self._lock:
            if (line := self._view.waiting()) is not None:
                _print(self._rich, line)

    def _found(self, findings: tuple[Diagnostic, ...]) -> None:
        """Shows findings as soon as they are known: the rest of a run can take minutes."""
        with self._lock:
            self._shown += findings
            self._heartbeat.note()
            _print(self._rich, *findings_by_file(findings))

    def show(self, report: Report) -> None:
        """Shows the report: what is ready, what is not and why, what to do next."""
        if self.writes_document:
            self.document(FORMATS[self._output].write(report))
        if not self.writes_text:
            return
        report = self._hints.report(report)
        if report.target is Target.MACHINE:
            _print(self._rich, *diagnosis_lines(report.diagnoses), conclusion(report.diagnoses))
            return
        if report.target is Target.REPOSITORY:
            _print(self._rich, *(step_line(step, timed=False) for step in report.steps))
        elif report.kustomizations or report.causes:
            _print(self._rich, tree(report.kustomizations, heading(report), report.causes, snippets=True))
        new = [finding for finding in report.findings if finding not in self._shown]
        _print(self._rich, *findings_by_file(new, report.environment.split(", ")))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in (*map(annotation, report.findings), *(cause_annotation(cause) for cause in report.causes if cause.path)):
                self._rich.print(line, markup=False, soft_wrap=True)
        if report.timeline and COMMANDS[report.command].timed:
            _print(self._rich, timeline_table(report.timeline))
        _print(self._rich, *reasons(report), *verdict(report, self._hints))

    def conclude(self, report: Report) -> None:
        """The end of the events, and the summary of a job on GitHub."""
        self.events.end(report)
        path = summary_file() if COMMANDS[report.command].reconciles else None
        if path is None:
            return
        try:
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(to_markdown(report))
        except OSError as error:
            show_error(f"cannot write {path}: {error.strerror}", "")

    @property
    def writes_document(self) -> bool:
        return self._output in FORMATS

    @property
    def writes_text(self) -> bool:
        """Whether the result goes to the terminal too."""
        return not (self.writes_document and self._file is None)

    def document(self, text: str) -> None:
        """Writes a document for programs: to the file of the report, else to standard output."""
        if self._file is None:
            sys.stdout.write(text)
        else:
            self._file.write_text(text, encoding="utf-8")

    def error(self, error: DevloopError) -> None:
        """Shows an error that ended the run without a report."""
        error = self._hints.error(error)
        show_error(error.message, error.hint)
        if isinstance(error, InputError) and len(error.problems) > 1:
            _print(_rich(stderr=True), *(line for problem in error.problems for line in problem_lines(problem)))

    def bug(self, traceback: str) -> None:
        """Shows an internal error; `traceback` is the file with its traceback."""
        show_error("this is a bug in devloop", f"please report it with {traceback}")

    def explain(self, explanations: Sequence[Explanation]) -> None:
        for line in explained(explanations):
            self._rich.print(line)

    def manifests(self, text: str) -> None:
        sys.stdout.write(text)

    def difference(self, text: str) -> None:
        """Writes a unified diff to standard output, coloured on a terminal."""
        if not sys.stdout.isatty():
            sys.stdout.write(text)
            return
        for line in text.splitlines():
            _rich(stderr=False).print(diff_line(line), soft_wrap=True)

    def line(self, text: str) -> None:
        _print(self._rich, Whole(styled(text)))

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A table as wide as its content; without its last column where the terminal is too narrow."""
        table = _table(columns, rows)
        if self._rich.measure(table, options=self._rich.options.update(width=NO_LIMIT)).maximum > self._rich.width:
            self._rich.print(_table(columns[:-1], rows))
            self._rich.print(f"the column {columns[-1]} needs a wider terminal, or a pipe", style="dim")
            return
        self._rich.print(table)


def show_error(message: str, hint: Hint) -> None:
    _print(_rich(stderr=True), error_line(message), *([hint_line(hint)] if hint else []))


def _print(rich: RichConsole, *lines: RenderableType) -> None:
    """Never cuts text off: a long command continues in the terminal's next line."""
    for line in lines:
        rich.print(line, crop=False)


def _rich(*, stderr: bool) -> RichConsole:
    """As wide as the terminal; without one, lines are not wrapped."""
    from rich.console import Console as RichConsole

    rich = RichConsole(stderr=stderr, highlight=False)
    return rich if rich.is_terminal else RichConsole(stderr=stderr, highlight=False, width=NO_LIMIT)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    """Aligns quantities to the right; ignores cells beyond `columns`."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        numeric = any(row[number][:1].isdigit() and " " in row[number] for row in rows)
        table.add_column(column, no_wrap=True, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*row[: len(columns)])
    return table
