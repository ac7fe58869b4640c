"""What validation looks for. A rule is a pure function from a graph to faults, one line in RULES, and two folders of fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from devloop.model.graph import Graph
from devloop.model.place import Fault
from devloop.model.report import Severity
from devloop.rules import build, graph

Check = Callable[[Graph], Iterator[Fault]]


@dataclass(frozen=True)
class Rule:
    """`reason` says why it matters, in one sentence for people who meet it for the first time."""

    check: Check
    severity: Severity
    reason: str


RULES: Mapping[str, Rule] = {
    "yaml/syntax": Rule(build.syntax, Severity.ERROR, "Flux stops at the first file that it cannot read"),
    "build/failed": Rule(build.failed, Severity.ERROR, "one error keeps the whole Kustomization from the cluster"),
    "substitution/undefined": Rule(build.undefined, Severity.ERROR, "Flux refuses variables that have neither a value nor a default"),
    "graph/path-missing": Rule(graph.path_missing, Severity.ERROR, "a Kustomization without its folder never becomes Ready"),
    "graph/dependency-missing": Rule(graph.dependency_missing, Severity.ERROR, "a Kustomization waits for its dependencies for ever"),
    "graph/dependency-cycle": Rule(graph.dependency_cycle, Severity.ERROR, "Kustomizations that wait for each other are never applied"),
    "graph/rendered-twice": Rule(graph.rendered_twice, Severity.ERROR, "two parents overwrite each other's version again and again"),
}
