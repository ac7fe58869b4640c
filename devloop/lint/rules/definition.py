"""Every environment has a definition that can be used."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext


def invalid(subject: LintContext) -> Iterator[Diagnostic]:
    """ksail.yaml or a file that it names is wrong."""
    yield from subject.problems


def missing(subject: LintContext) -> Iterator[Diagnostic]:
    """Nothing says where Flux enters the repository."""
    if not subject.environments and not subject.problems:
        hint = "write ksail.yaml, or clusters/NAME/ksail.yaml for each environment; `devloop init DIR` makes a sample"
        yield Diagnostic(
            "no definition and no sign of Flux says what is applied: nothing was built, only files were looked at", Location(), hint
        )


def questionable(subject: LintContext) -> Iterator[Diagnostic]:
    """The definition can be used, but not everything in it does what it says."""
    for inspected in subject.environments:
        for warning in inspected.environment.definition.warnings:
            yield inspected.diagnostic(warning.message, warning.location, hint=warning.hint)


RULES: Rules = {
    "definition/invalid": Rule(
        invalid,
        Severity.ERROR,
        "an environment whose definition cannot be read is neither checked nor started",
        "write what the message says; docs/definitions.md lists every field",
    ),
    "definition/missing": Rule(
        missing,
        Severity.WARNING,
        "what no environment applies is not built, and most rules look at what is built",
        "write a definition for each environment; what flux bootstrap and FluxInstances leave behind counts as well",
    ),
    "definition/questionable": Rule(
        questionable,
        Severity.INFO,
        "what a definition says and devloop does not do surprises whoever relies on it",
        "remove the field, or write the one that took its place",
    ),
}
