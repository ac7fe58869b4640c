"""Files say what their authors mean: nothing in them is dropped without a word."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.location import Fault, Location
from devloop.model.lint.schema_errors import KustomizationFileIssue
from devloop.model.report import Severity


def duplicate_key(subject: LintContext) -> Iterator[Fault]:
    """One key twice in a mapping: in an object it fails the build, in a patch or a kustomization file the last one counts."""
    for unit in subject.units:
        failure = unit.node.failure
        if failure and unit.node.state is NodeState.FAILED and failure.kind == "duplicate":
            yield unit.fault(failure.message, hint=failure.hint, place=Location(failure.path, failure.line), severity=Severity.ERROR)
    for unit, oversight in _oversights(subject, "duplicate"):
        yield unit.fault(oversight.message, hint=oversight.hint, place=Location(oversight.path, oversight.line))


def ignored_field(subject: LintContext) -> Iterator[Fault]:
    """A field of a kustomization file that there is not. Flux drops it from the one it starts with; kustomize refuses it in others."""
    for unit, oversight in _oversights(subject, "ignored"):
        if unit.node.state is NodeState.BUILT and posixpath.dirname(oversight.path) == posixpath.normpath(unit.node.directory):
            yield unit.fault(oversight.message, hint=oversight.hint, place=Location(oversight.path, oversight.line))


def _oversights(subject: LintContext, code: str) -> Iterator[tuple[KustomizationContext, KustomizationFileIssue]]:
    """Each with the Kustomizations that read its file."""
    wanted = [oversight for oversight in subject.judgements.oversights if oversight.code == code]
    for unit in subject.units if wanted else ():
        files = frozenset(unit.node.files)
        for oversight in wanted:
            if oversight.path in files:
                yield unit, oversight


RULES: Rules = {
    "yaml/duplicate-key": Rule(
        duplicate_key,
        Severity.WARNING,
        "of two keys one is lost: an object does not build, and in a patch the last one counts without a word",
        "remove one of the two keys",
    ),
    "build/ignored-field": Rule(
        ignored_field,
        Severity.WARNING,
        "Flux leaves a field out that a kustomization file does not have, and says nothing",
        "correct the name of the field, or remove it",
    ),
}
