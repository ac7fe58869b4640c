"""Steps, Kustomizations and verdicts as rich renderables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from devloop.console.command_hints import CommandContext
from devloop.console.places import place, snippet_lines
from devloop.console.wrapping import Hanging, Whole, hint_line, styled
from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import ExitCode
from devloop.hint import DevloopCommand, Hint
from devloop.model.causes.cause import Cause
from devloop.model.commands import COMMANDS
from devloop.model.messages import counted
from devloop.model.report import Outcome, Readiness, Report, Status

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text
    from rich.tree import Tree

MOST_CAUSES = 5  # of one Kustomization; the JSON report has all
# Shorter times are not shown.
INSTANT = 0.05

MARKS: Mapping[Status, tuple[str, str]] = {
    Status.CHANGED: ("✓", "green"),
    Status.UNCHANGED: ("✓", "dim green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", "dim"),
}
COLOURS: Mapping[Severity | None, str] = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def step_line(outcome: Outcome, *, timed: bool = True) -> Hanging:
    mark, colour = MARKS[outcome.status]
    text = styled((mark, colour), f" {outcome.title:<12}")
    if timed:
        text.append(f"{outcome.seconds:6.1f} s", "dim")
    indent = len(text) + 2
    if outcome.message:
        text.append("  " + outcome.message, "" if outcome.status is not Status.UNCHANGED else "dim")
    return Hanging(text, indent)


def kustomization_line(k: Readiness) -> Text:
    mark, colour = ("✓", "green") if k.ready else ("✗", "red") if k.terminal else ("-", "dim") if k.suspended else ("⋯", "yellow")
    text = styled((mark, colour), f" {k.id}")
    if k.ready:
        took = f"  {k.seconds:.1f} s" if k.seconds >= INSTANT else ""
        return text.append(f"  {counted(k.objects, 'object')}{took}", "dim")
    return text.append("  suspended" if k.suspended else f"  {k.reason}: {' '.join(k.message.split())}", colour)


def tree(kustomizations: tuple[Readiness, ...], heading: str, causes: Sequence[Cause] = (), *, snippets: bool = False) -> Tree:
    """Each Kustomization below its deepest dependency, in the given order, with its causes; the other causes at the end.

    With `snippets`, with the source lines of the causes.
    """
    from rich.tree import Tree

    tree = Tree(heading or "Kustomizations", guide_style="dim")
    branches: dict[str, tuple[int, Tree]] = {}
    for k in kustomizations:
        above = max((branches[d] for d in k.depends_on if d in branches), key=lambda branch: branch[0], default=(0, tree))
        branches[k.id] = (above[0] + 1, above[1].add(Hanging(kustomization_line(k), 2)))
        _add_causes(branches[k.id][1], [cause for cause in causes if cause.kustomization == k.id], snippets=snippets)
    _add_causes(tree, [cause for cause in causes if cause.kustomization not in branches], snippets=snippets)
    return tree


def cause_text(cause: Cause) -> Text:
    return styled((str(cause), COLOURS[cause.severity]), (f"  {cause.id}", "dim"))


def cause_lines(cause: Cause) -> Iterator[RenderableType]:
    """The cause, and its place below it."""
    yield Hanging(cause_text(cause), 2)
    if cause.path:
        yield Whole(styled(f"  {place(cause.path, cause.line)}", style="bold"))


def _add_causes(branch: Tree, causes: Sequence[Cause], *, snippets: bool) -> None:
    for cause in causes[:MOST_CAUSES]:
        leaf = branch.add(Hanging(cause_text(cause), 2))
        if cause.path:
            leaf.add(_place_of(cause, snippets=snippets))
        for related in cause.related:
            leaf.add(Hanging(styled(f"note: {related}", style="dim"), 6))
        for line in cause.log:
            leaf.add(styled(line, style="dim"))
        if cause.hint:
            leaf.add(hint_line(cause.hint))
    if len(causes) > MOST_CAUSES:
        branch.add(styled(f"and {len(causes) - MOST_CAUSES} more", style="dim"))


def _place_of(cause: Cause, *, snippets: bool) -> RenderableType:
    from rich.console import Group

    shown = cause.snippet if snippets and cause.severity is not Severity.INFO else None
    lines = snippet_lines(shown, COLOURS[cause.severity]) if shown else ()
    return Group(Whole(styled(place(cause.path, cause.line), style="bold")), *lines)


def heading(report: Report) -> str:
    from rich.markup import escape

    if not report.kustomizations:
        return f"[bold]{escape(report.environment)}[/]"
    ready = sum(k.ready for k in report.kustomizations)

    revision = f" at {escape(report.revision[:17])}" if report.revision else ""
    return f"[bold]{report.environment}[/]: {ready} of {len(report.kustomizations)} Kustomizations ready{revision}"


def reasons(report: Report) -> list[RenderableType]:
    """What failed, what was skipped or is blocked, and hints."""
    lines: list[RenderableType] = []
    failures: dict[tuple[str, Hint], list[str]] = {}
    for step in report.steps:
        if step.status is Status.FAILED:
            failures.setdefault((step.message, step.hint), []).append(step.title)
    for (message, hint), titles in failures.items():
        # The live view has shown the error of a single step.
        lines += [error_line(f"{', '.join(titles)}: {message}")] if len(report.steps) > 1 else []
        lines += [hint_line(hint)] if hint else []
    if skipped := [step.title for step in report.steps if not step.ran]:
        lines.append(Hanging(styled(f"not run: {', '.join(skipped)}", style="dim"), len("not run: ")))
    for blocker, blocked in _blocked(report.kustomizations).items():
        lines.append(Hanging(styled((blocker, "bold"), " blocks ", ", ".join(blocked)), 2))
    return lines


def error_line(message: str) -> Hanging:
    return Hanging(styled(("error: ", "bold red"), message), len("error: "))


def _blocked(kustomizations: tuple[Readiness, ...]) -> dict[str, list[str]]:
    """Kustomizations that are not ready although their dependencies are, each with its dependents."""
    pending = {k.id: k for k in kustomizations if not k.ready}
    blocked: dict[str, list[str]] = {}
    for start in (i for i, k in pending.items() if not any(d in pending for d in k.depends_on)):
        reached = {start}
        while new := {i for i, k in pending.items() if i not in reached and reached.intersection(k.depends_on)}:
            reached |= new
        if len(reached) > 1:
            blocked[start] = sorted(reached - {start})
    return dict(sorted(blocked.items()))


def verdict(report: Report, hints: CommandContext) -> list[RenderableType]:
    """The result in one line, then a line per suggested command."""
    if report.failure == ExitCode.INTERRUPTED:
        return [styled((report.verdict, "yellow")), *_following({"continue": report.command}, report.environment, hints)]
    mark, colour = ("✓", "green") if report.ok else ("✗", "red")
    command = COMMANDS[report.command]
    result = command.ok if report.ok else command.failed
    counts = _counts(report.findings)
    text = styled((mark, colour), " ", report.verdict, (f" ({counts})" if counts else "", "dim"))
    return [text, *_following(result.following, report.environment, hints)]


def _following(names: Mapping[str, str], environment: str, hints: CommandContext) -> list[Whole]:
    column = max(map(len, names), default=0) + 1
    every = {name: () if environment or not COMMANDS[name].every else ("--all",) for name in names.values()}
    commands = {when: hints.command(DevloopCommand(name, environment, every[name])) for when, name in names.items()}
    return [Whole(styled((f"  {when + ':':<{column}} ", "dim"), str(command))) for when, command in commands.items()]


def duration(seconds: float | None) -> str:
    if not seconds:
        return "0 s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _counts(findings: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; '' for none."""
    severities = Counter(finding.severity for finding in findings)
    parts = [counted(n, severity.value) for severity in (Severity.ERROR, Severity.WARNING) if (n := severities[severity])]
    return ", ".join([*parts, *([f"{severities[Severity.INFO]} for information"] if severities[Severity.INFO] else [])])
