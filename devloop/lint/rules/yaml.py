"""Files say what their authors mean: nothing in them is dropped without a word."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext
from devloop.model.lint.location import Fault, Location
from devloop.model.report import Severity


def syntax(subject: LintContext) -> Iterator[Fault]:
    """A file that a build reads is no YAML."""
    for unit, failure, place in subject.failures:
        if failure.kind == "yaml":
            yield unit.fault(f"this is no valid YAML: {failure.message}", hint=failure.hint, place=place)


def duplicate_key(subject: LintContext) -> Iterator[Fault]:
    """One key twice in a mapping: in an object it fails the build, in a patch or a kustomization file the last one counts."""
    for unit, failure, place in subject.failures:
        if failure.kind == "duplicate":
            yield unit.fault(failure.message, hint=failure.hint, place=place, severity=Severity.ERROR)
    for unit, oversight in subject.file_issues("duplicate"):
        yield unit.fault(oversight.message, hint=oversight.hint, place=Location(oversight.path, oversight.line))


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
