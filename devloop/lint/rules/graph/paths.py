"""spec.path of a Kustomization."""

import posixpath
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import FailureKind
from devloop.model.lint.context import LintContext


def path_missing(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization, failure, _ in context.failures:
        if failure.kind is FailureKind.MISSING:
            folder = kustomization.environment.graph.source_directory
            where = "the repository's root" if folder == "." else f"{folder}/"
            hint = failure.hint or f"paths are relative to {where} here"
            message, path = "the path {path} of {kustomization} does not exist", kustomization.node.kustomization.path
            yield kustomization.diagnostic(message, "path", hint=hint, path=path)


def path_outside(context: LintContext) -> Iterator[Diagnostic]:
    """spec.path points outside the source; Flux resolves it relative to the source's root instead."""
    for kustomization in context.kustomizations:
        path = kustomization.node.kustomization.path
        if posixpath.normpath(path).startswith(".."):
            message, hint = "the path {path} of {kustomization} leads out of its source", "use a folder of the source, or another source"
            yield kustomization.diagnostic(message, "path", hint=hint, path=path)


RULES: Rules = {
    "graph/path-missing": Rule(
        path_missing,
        Severity.ERROR,
        "a Kustomization without its folder never becomes ready",
        "write the path of a folder in the source, relative to the source's root",
    ),
    "graph/path-outside": Rule(
        path_outside,
        Severity.WARNING,
        "Flux never leaves a source: it resolves such a path relative to the source's root",
        "write a path below the source's root, without leading ..",
    ),
}
