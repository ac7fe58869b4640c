"""Files say what their authors mean: nothing in them is dropped without a word."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext


def syntax(subject: LintContext) -> Iterator[Diagnostic]:
    """A file that a build reads is no YAML."""
    for unit, failure, place in subject.failures:
        if failure.kind == "yaml":
            yield unit.diagnostic(f"this is no valid YAML: {failure.message}", hint=failure.hint, place=place)


def duplicate_key(subject: LintContext) -> Iterator[Diagnostic]:
    """One key twice in a mapping: in an object it fails the build, in a patch or a kustomization file the last one counts."""
    for unit, failure, place in subject.failures:
        if failure.kind == "duplicate":
            yield unit.diagnostic(failure.message, hint=failure.hint, place=place, severity=Severity.ERROR)
    for unit, issue in subject.kustomization_files("yaml/duplicate-key"):
        yield unit.diagnostic(issue.message, hint=issue.hint, place=issue.location)


RULES: Rules = {
    "yaml/syntax": Rule(
        syntax,
        Severity.ERROR,
        "Flux stops at the first file that it cannot read",
        "write the file as YAML; the message names the line where reading stopped",
    ),
    "yaml/duplicate-key": Rule(
        duplicate_key,
        Severity.WARNING,
        "of two keys one is lost: an object does not build, and in a patch the last one counts without a word",
        "remove one of the two keys",
    ),
}
