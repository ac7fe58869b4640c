"""Lines, trees and verdicts as rich renderables; building them is not printing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from devloop.console.spoken import Spoken
from devloop.model.report import Finding, Outcome, Readiness, Report, Severity, Status

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

MARKS: Mapping[Status, tuple[str, str]] = {
    Status.CHANGED: ("✓", "green"),
    Status.UNCHANGED: ("✓", "dim green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", "dim"),
}
COLOURS: Mapping[Severity, str] = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def step_line(outcome: Outcome, *, timed: bool = True) -> Text:
    from rich.text import Text

    mark, colour = MARKS[outcome.status]
    text = Text.assemble((mark, colour), f" {outcome.title:<12}")
    if timed:
        text.append(f"{outcome.seconds:6.1f} s", "dim")
    if outcome.message:
        text.append("  " + outcome.message, "" if outcome.status is not Status.UNCHANGED else "dim")
    return text


def kustomization_line(k: Readiness) -> Text:
    from rich.text import Text

    mark, colour = ("✓", "green") if k.ready else ("✗", "red") if k.terminal else ("-", "dim") if k.suspended else ("⋯", "yellow")
    text = Text.assemble((mark, colour), f" {k.id}")
    if k.ready:
        return text.append(f"  {k.objects} object{'' if k.objects == 1 else 's'}  {k.seconds:.1f} s", "dim")
    return text.append("  suspended" if k.suspended else f"  {k.reason}: {' '.join(k.message.split())}", colour)


def tree(kustomizations: tuple[Readiness, ...], heading: str) -> Tree:
    """Each Kustomization below the one that it waits for longest, in the order given."""
    from rich.tree import Tree

    tree = Tree(heading or "Kustomizations", guide_style="dim")
    branches: dict[str, tuple[int, Tree]] = {}
    for k in kustomizations:
        above = max((branches[d] for d in k.depends_on if d in branches), key=lambda branch: branch[0], default=(0, tree))
        branches[k.id] = (above[0] + 1, above[1].add(kustomization_line(k)))
        for cause in k.causes:
            branches[k.id][1].add(f"[yellow]{_escaped(cause)}[/]")
    return tree


def heading(report: Report) -> str:
    ready = sum(k.ready for k in report.kustomizations)
    revision = f" at {_escaped(report.revision[:17])}" if report.revision else ""
    return f"[bold]{report.environment}[/]: {ready} of {len(report.kustomizations)} Kustomizations ready{revision}"


def reasons(report: Report) -> list[Text]:
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


def verdict(report: Report, spoken: Spoken) -> Text:
    from rich.text import Text

    if report.failure == 130:
        return Text(spoken.text(f"interrupted; go on with: devloop {report.command} {report.environment}".rstrip()), "yellow")
    mark, colour = ("✓", "green") if report.ok else ("✗", "red")
    words = NEXT_OK.get(report.command, "done") if report.ok else NEXT_FAILED.get(report.command, "")
    text = Text.assemble((mark, colour), " ", spoken.text(words.format(report.environment)))
    found = counts(report.findings)
    return text.append(f" ({found})", "dim") if found else text


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


def duration(seconds: float | None) -> str:
    if not seconds:
        return "0 s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def counts(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`; '' for none."""
    found = [finding.severity for finding in findings]
    words = ((found.count(Severity.ERROR), "error"), (found.count(Severity.WARNING), "warning"))
    parts = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in words if number]
    if told := found.count(Severity.INFO):
        parts.append(f"{told} for information")
    return ", ".join(parts)
