"""Every Kustomization builds."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.model.graph import Failure, Graph, Node, NodeState
from devloop.model.kustomization import KIND
from devloop.model.place import Fault, Place

_UNDEFINED = "define it in spec.postBuild, give it a default like ${NAME:=value}, or write $${NAME} for the text itself"

# Failures that have a rule of their own; what is not here is build/failed.
_SPECIAL = frozenset({"yaml", "undefined", "missing"})


def syntax(graph: Graph) -> Iterator[Fault]:
    """A file that a build reads is no YAML."""
    for _, failure, place in _failures(graph):
        if failure.kind == "yaml":
            yield Fault(f"this is no valid YAML: {failure.message}", place, failure.hint)


def failed(graph: Graph) -> Iterator[Fault]:
    """Flux would report BuildFailed."""
    for node, failure, place in _failures(graph):
        if failure.kind not in _SPECIAL:
            yield Fault(f"{node.kustomization.id} does not build: {failure.message}", place, failure.hint)


def undefined(graph: Graph) -> Iterator[Fault]:
    """A variable has neither value nor default."""
    for node, failure, place in _failures(graph):
        if failure.kind == "undefined":
            yield Fault(f"{failure.message} for {node.kustomization.id}", place, _UNDEFINED)


def _failures(graph: Graph) -> Iterator[tuple[Node, Failure, Place]]:
    for node in graph:
        if node.failure and node.state is NodeState.FAILED:
            place = Place(node.failure.path, node.failure.line) if node.failure.path else _definition(node)
            yield node, node.failure, place


def _definition(node: Node) -> Place:
    return Place(node.origin.path, node.origin.line, KIND, node.kustomization.id.name)
