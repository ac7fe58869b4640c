"""Every Kustomization builds."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.model.graph import Failure, NodeState
from devloop.model.place import Fault, Place
from devloop.model.report import Severity
from devloop.model.subject import Subject, Unit
from devloop.rules.rule import Rule, Rules

# Failures that have a rule of their own; what is not here is build/failed.
_SPECIAL = frozenset({"yaml", "undefined", "missing"})


def syntax(subject: Subject) -> Iterator[Fault]:
    """A file that a build reads is no YAML."""
    for unit, failure, place in _failures(subject):
        if failure.kind == "yaml":
            yield unit.fault(f"this is no valid YAML: {failure.message}", hint=failure.hint, place=place)


def failed(subject: Subject) -> Iterator[Fault]:
    """Flux would report BuildFailed."""
    for unit, failure, place in _failures(subject):
        if failure.kind not in _SPECIAL:
            yield unit.fault(f"{unit.node.kustomization.id} does not build: {failure.message}", hint=failure.hint, place=place)


def _failures(subject: Subject) -> Iterator[tuple[Unit, Failure, Place]]:
    for unit in subject.units:
        failure = unit.node.failure
        if failure and unit.node.state is NodeState.FAILED:
            yield unit, failure, Place(failure.path, failure.line) if failure.path else unit.place()


RULES: Rules = {
    "yaml/syntax": Rule(
        syntax,
        Severity.ERROR,
        "Flux stops at the first file that it cannot read",
        "write the file as YAML; the message names the line where reading stopped",
    ),
    "build/failed": Rule(
        failed,
        Severity.ERROR,
        "one error keeps the whole Kustomization from the cluster",
        "mend the file that the message names; `kustomize build` of its folder fails in the same way",
    ),
}
