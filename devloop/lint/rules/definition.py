"""Every environment has a valid cluster definition."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext


def invalid(context: LintContext) -> Iterator[Diagnostic]:
    """ksail.yaml, or a file that it refers to, is invalid."""
    yield from context.problems


def missing(context: LintContext) -> Iterator[Diagnostic]:
    if not context.environments and not context.problems:
        yield Diagnostic(
            "no cluster definition and no Flux bootstrap found: nothing was built, only files were checked",
            Location(),
            "add ksail.yaml, or clusters/NAME/ksail.yaml for each environment; `devloop init DIR` creates a sample",
        )


def questionable(context: LintContext) -> Iterator[Diagnostic]:
    """The definition is valid, but some of its fields have no effect."""
    for environment in context.environments:
        for warning in environment.environment.definition.warnings:
            yield environment.diagnostic("{reason}", warning.location, hint=warning.hint, reason=warning.message)


RULES: Rules = {
    "definition/invalid": Rule(
        invalid,
        Severity.ERROR,
        "an environment without a readable definition can be neither checked nor started",
        "correct what the message names; docs/definitions.md lists every field",
    ),
    "definition/missing": Rule(
        missing,
        Severity.WARNING,
        "only what an environment applies is built, and most rules check built objects",
        "add a definition for each environment; the files of flux bootstrap and FluxInstances count as well",
    ),
    "definition/questionable": Rule(
        questionable,
        Severity.INFO,
        "a field without effect misleads readers of the definition",
        "remove the field, or use the field that replaced it",
    ),
}
