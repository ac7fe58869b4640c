"""The whole repository against the rules: every environment's graph, every rule, one report. The seam for more rules is RULES."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from devloop.clients.worker import Worker
from devloop.errors import InputError, Problem
from devloop.model.environment import Environment
from devloop.model.graph import Graph, Node, NodeState
from devloop.model.place import Fault, Place
from devloop.model.report import Finding, Outcome, Readiness, Report, Severity, Status
from devloop.repository.environments import environments, load_environment
from devloop.repository.graph import survey
from devloop.rules import RULES, Rule

# Rules whose breach no controller ever reports as a failure.
SILENT = ("graph/dependency-cycle", "graph/dependency-missing")


def validate(
    environments: Sequence[Environment],
    worker: Worker,
    *,
    problems: Sequence[Problem] = (),
    remotes: Collection[str] = (),
    rules: Mapping[str, Rule] = RULES,
) -> Report:
    """Check `environments` of one repository; `problems` are what is wrong with definitions that could not be loaded.

    The same repository gives the same report, to the byte: nothing in it comes from a clock or from the order in which builds end.
    """
    graphs = [survey(environment, worker, remotes=remotes) for environment in environments]
    broken = [Finding("definition/invalid", Severity.ERROR, p.path, p.line, p.message, p.hint) for p in problems]
    return Report(
        "validate",
        ", ".join(graph.environment for graph in graphs),
        steps=tuple(map(_outcome, graphs)),
        kustomizations=tuple(_readiness(node) for graph in graphs for node in graph),
        findings=tuple(sorted({*broken, *find(graphs, worker, rules)}, key=_order)),
    )


def load_environments(root: Path, names: Sequence[str] = ()) -> tuple[list[Environment], list[Problem]]:
    """The environments of the repository (or `names` of them) that can be loaded, and what is wrong with the others.

    Raises InputError for a name that is no environment: that is wrong with the question, not with the repository.
    """
    loaded: list[Environment] = []
    problems: list[Problem] = []
    for name in names or environments(root):
        try:
            loaded.append(load_environment(root, name))
        except InputError as error:
            if name in names and not error.problems:
                raise
            problems += error.problems or [Problem("", 0, error.message, error.hint)]
    return loaded, problems


def hopeless(graph: Graph, worker: Worker) -> list[Finding]:
    """What keeps Flux waiting for ever, without a word: better told before anything is created."""
    return find([graph], worker, {rule: RULES[rule] for rule in SILENT})


def find(graphs: Sequence[Graph], worker: Worker, rules: Mapping[str, Rule]) -> list[Finding]:
    """What the rules find in the graphs, with the lines of it."""
    faults = [(rule, fault) for graph in graphs for rule in rules for fault in rules[rule].check(graph)]
    lines = _lines([fault for _, fault in faults], worker)
    return [
        Finding(rule, rules[rule].severity, fault.place.path, line, fault.message, fault.hint)
        for (rule, fault), line in zip(faults, lines, strict=True)
    ]


def _lines(faults: Sequence[Fault], worker: Worker) -> list[int]:
    """The line of each fault, looked up where the rule did not know it."""
    unknown = [fault.place for fault in faults if not fault.place.line and fault.place.path]
    found = dict(zip(map(_key, unknown), worker.locate([_question(place) for place in unknown]), strict=True)) if unknown else {}
    return [fault.place.line or found.get(_key(fault.place), 0) for fault in faults]


def _key(place: Place) -> str:
    return repr(place)


def _question(place: Place) -> dict[str, object]:
    return {key: value for key, value in asdict(place).items() if key != "line"}


def _order(finding: Finding) -> tuple[str, int, str, str]:
    return finding.path, finding.line, finding.rule, finding.message


def _outcome(graph: Graph) -> Outcome:
    counts = {state: sum(node.state is state for node in graph) for state in NodeState}
    aside = counts[NodeState.FOREIGN] + counts[NodeState.UNKNOWN]
    where = "the repository's root" if graph.source_directory == "." else f"{graph.source_directory}/"
    parts = [
        f"{len(graph.nodes)} Kustomizations with {sum(len(node.manifests) for node in graph)} objects",
        f"paths count from {where}",
        *([f"{aside} not checked here"] if aside else []),
    ]
    return Outcome(Status.UNCHANGED, "; ".join(parts), title=graph.environment)


_REASONS = {NodeState.BUILT: "Built", NodeState.FAILED: "BuildFailed", NodeState.FOREIGN: "NotHere", NodeState.UNKNOWN: "NotKnown"}


def _readiness(node: Node) -> Readiness:
    """`ready` says that nothing speaks against it: it builds, or it is not for us to check."""
    kustomization = node.kustomization
    return Readiness(
        kustomization.id.namespace,
        kustomization.id.name,
        ready=node.state is not NodeState.FAILED,
        reason=_REASONS[node.state],
        message=_message(node),
        revision="",
        depends_on=tuple(map(str, kustomization.depends_on)),
        objects=len(node.manifests),
        terminal=True,
        suspended=kustomization.suspended,
    )


def _message(node: Node) -> str:
    if node.failure:
        return node.failure.message
    if node.state is NodeState.FOREIGN:
        source = node.kustomization.source
        return f"comes from {source.kind} {source.namespace}/{source.name}, not checked here"
    remote = f"; {len(node.remote)} remote not checked here" if node.remote else ""
    return f"{len(node.manifests)} objects{remote}"
