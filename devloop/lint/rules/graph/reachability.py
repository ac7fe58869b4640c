"""Kustomizations in the repository's files that no environment has."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.hint import command, instructions
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.lint.context import LintContext
from devloop.model.lint.file_index import is_aside

_HIDDEN = (NodeState.FAILED, NodeState.UNKNOWN)
_HINT = instructions(command("devloop env list"), " shows the environments; add one under environments in devloop.yaml")


def unreached(context: LintContext) -> Iterator[Diagnostic]:
    """A Kustomization in a file that no build reads; what a failed build may hide is left out."""
    if not context.whole or not context.environments:
        return
    nodes = [kustomization.node for kustomization in context.kustomizations]
    read = {file for node in nodes for file in node.files}
    hidden = tuple(f"{node.directory}/" for node in nodes if node.state in _HIDDEN)
    for found in context.files.kustomizations:
        if found.path not in read and not found.path.startswith(hidden) and not is_aside(found.path):
            yield Diagnostic.of("no environment reaches the Kustomization {name}", Location(found.path, found.line), _HINT, name=found.name)


RULES: Rules = {
    "graph/unreached": Rule(
        unreached,
        Severity.INFO,
        "what no environment reaches is not checked, and Flux never applies it unless something else does",
        "name its entry under environments in devloop.yaml, refer to it, or remove it",
    ),
}
