"""Kustomizations in the repository's files that no environment has."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import DevloopCommand, instructions
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.bootstrap import unreached
from devloop.model.lint.context import LintContext

_HINT = instructions(DevloopCommand("env", options=("list",)), " shows the environments; add one under environments in devloop.yaml")


def unreached_kustomization(context: LintContext) -> Iterator[Diagnostic]:
    """A Kustomization in a file that no build reads."""
    nodes = [kustomization.node for kustomization in context.kustomizations]
    for found in unreached(context.files, nodes) if context.whole and not context.problems else ():
        yield Diagnostic.of("no environment reaches the Kustomization {name}", Location(found.path, found.line), _HINT, name=found.name)


RULES: Rules = {
    "graph/unreached": Rule(
        unreached_kustomization,
        Severity.INFO,
        "what no environment reaches is not checked, and Flux never applies it unless something else does",
        "name its entry under environments in devloop.yaml, refer to it, or remove it",
    ),
}
