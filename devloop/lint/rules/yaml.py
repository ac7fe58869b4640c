"""Files are valid YAML without duplicate keys."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import FailureKind
from devloop.model.lint.context import LintContext


def syntax(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization, failure, location in context.failures:
        if failure.kind is FailureKind.YAML:
            yield kustomization.diagnostic("invalid YAML: {reason}", hint=failure.hint, location=location, reason=failure.message)


def duplicate_key(context: LintContext) -> Iterator[Diagnostic]:
    """The same key twice in a mapping: an object fails to build, in a patch or a kustomization file the last one wins."""
    for kustomization, failure, location in context.failures:
        if failure.kind is FailureKind.DUPLICATE:
            error = Severity.ERROR
            yield kustomization.diagnostic("{reason}", hint=failure.hint, severity=error, location=location, reason=failure.message)
    for kustomization, issue in context.kustomization_files("yaml/duplicate-key"):
        yield kustomization.diagnostic("{reason}", hint=issue.hint, location=issue.location, reason=issue.message)


RULES: Rules = {
    "yaml/syntax": Rule(
        syntax,
        Severity.ERROR,
        "Flux stops at the first file that it cannot parse",
        "correct the YAML; the message names the line where parsing stopped",
    ),
    "yaml/duplicate-key": Rule(
        duplicate_key,
        Severity.WARNING,
        "one of the two values is lost: an object does not build, and in a patch the last one silently wins",
        "remove one of the two keys",
    ),
}
