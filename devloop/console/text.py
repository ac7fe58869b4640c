"""Lines, trees and verdicts as rich renderables; building them is not printing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from devloop.console.command_hints import CommandContext
from devloop.console.wrapping import Hanging, Whole, hint_line
from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import ExitCode
from devloop.hint import DevloopCommand, Hint
from devloop.model.commands import COMMANDS
from devloop.model.messages import counted
from devloop.model.report import Outcome, Readiness, Report, Status

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text
    from rich.tree import Tree

# Seconds that read as none.
INSTANT = 0.05

MARKS: Mapping[Status, tuple[str, str]] = {
    Status.CHANGED: ("✓", "green"),
    Status.UNCHANGED: ("✓", "dim green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", "dim"),
}
COLOURS: Mapping[Severity | None, str] = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def step_line(outcome: Outcome, *, timed: bool = True) -> Hanging:
    from rich.text import Text

    mark, colour = MARKS[outcome.status]
    text = Text.assemble((mark, colour), f" {outcome.title:<12}")
    if timed:
        text.append(f"{outcome.seconds:6.1f} s", "dim")
    indent = len(text) + 2
    if outcome.message:
        text.append("  " + outcome.message, "" if outcome.status is not Status.UNCHANGED else "dim")
    return Hanging(text, indent)


def kustomization_line(k: Readiness) -> Text:
    from rich.text import Text

    mark, colour = ("✓", "green") if k.ready else ("✗", "red") if k.terminal else ("-", "dim") if k.suspended else ("⋯", "yellow")
    text = Text.assemble((mark, colour), f" {k.id}")
    if k.ready:
        took = f"  {k.seconds:.1f} s" if k.seconds >= INSTANT else ""
        return text.append(f"  {counted(k.objects, 'object')}{took}", "dim")
    return text.append("  suspended" if k.suspended else f"  {k.reason}: {' '.join(k.message.split())}", colour)


def tree(kustomizations: tuple[Readiness, ...], heading: str) -> Tree:
    """Each Kustomization below the one that it waits for longest, in the order given."""
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(heading or "Kustomizations", guide_style="dim")
    branches: dict[str, tuple[int, Tree]] = {}
    for k in kustomizations:
        above = max((branches[d] for d in k.depends_on if d in branches), key=lambda branch: branch[0], default=(0, tree))
        branches[k.id] = (above[0] + 1, above[1].add(Hanging(kustomization_line(k), 2)))
        for cause in k.causes:
            branches[k.id][1].add(Hanging(Text(cause, "yellow"), 2))
    return tree


def heading(report: Report) -> str:
    ready = sum(k.ready for k in report.kustomizations)
    revision = f" at {_escaped(report.revision[:17])}" if report.revision else ""
    return f"[bold]{report.environment}[/]: {ready} of {len(report.kustomizations)} Kustomizations ready{revision}"


def reasons(report: Report) -> list[RenderableType]:
    """What failed, what was not run, what it blocks, and what to do."""
    from rich.text import Text

    lines: list[RenderableType] = []
    for (message, command), titles in _failures(report.steps).items():
        # A single step has just said so.
        lines += [error_line(f"{', '.join(titles)}: {message}")] if len(report.steps) > 1 else []
        lines += [hint_line(command)] if command else []
    if left_out := [step.title for step in report.steps if not step.ran]:
        lines.append(Hanging(Text(f"not run: {', '.join(left_out)}", "dim"), len("not run: ")))
    for blocker, blocked in _blocked(report.kustomizations).items():
        lines.append(Hanging(Text.assemble((blocker, "bold"), " blocks ", ", ".join(blocked)), 2))
    return lines


def _failures(steps: Iterable[Outcome]) -> dict[tuple[str, Hint], list[str]]:
    """Message and hint -> the steps that failed with just that."""
    found: dict[tuple[str, Hint], list[str]] = {}
    for step in steps:
        if step.status is Status.FAILED:
            found.setdefault((step.message, step.hint), []).append(step.title)
    return found


def error_line(message: str) -> Hanging:
    from rich.text import Text

    return Hanging(Text.assemble(("error: ", "bold red"), message), len("error: "))


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


def verdict(report: Report, spoken: CommandContext) -> list[RenderableType]:
    """How it ended in one line, then the commands that one may want next, each in a line of its own."""
    from rich.text import Text

    if report.failure == ExitCode.INTERRUPTED:
        return [Text("interrupted", "yellow"), *_following({"go on": report.command}, report.environment, spoken)]
    mark, colour = ("✓", "green") if report.ok else ("✗", "red")
    command = COMMANDS[report.command]
    ended = command.ok if report.ok else command.failed
    text = Text.assemble((mark, colour), " ", ended.text.format(report.environment))
    if found := counts(report.findings):
        text.append(f" ({found})", "dim")
    return [text, *_following(ended.following, report.environment, spoken)]


def _following(names: Mapping[str, str], environment: str, spoken: CommandContext) -> list[Whole]:
    from rich.text import Text

    column = max(map(len, names), default=0) + 1
    commands = {when: spoken.command(DevloopCommand(name, environment)) for when, name in names.items()}
    return [Whole(Text.assemble((f"  {when + ':':<{column}} ", "dim"), str(command))) for when, command in commands.items()]


def duration(seconds: float | None) -> str:
    if not seconds:
        return "0 s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def counts(findings: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; '' for none."""
    found = [finding.severity for finding in findings]
    words = ((found.count(Severity.ERROR), "error"), (found.count(Severity.WARNING), "warning"))
    parts = [counted(number, word) for number, word in words if number]
    if told := found.count(Severity.INFO):
        parts.append(f"{told} for information")
    return ", ".join(parts)
