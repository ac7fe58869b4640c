"""What validation looked at, as the report tells it: one outcome an environment, one readiness a Kustomization."""

from __future__ import annotations

from devloop.diagnostic import Diagnostic
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.lint.context import LintContext
from devloop.model.messages import counted
from devloop.model.report import Outcome, Readiness, Report, Status


def summarise(context: LintContext, findings: tuple[Diagnostic, ...]) -> Report:
    """What was found, and what was looked at."""
    return Report(
        "validate",
        ", ".join(inspected.environment.name for inspected in context.environments),
        steps=tuple(environment_outcome(inspected.graph) for inspected in context.environments),
        kustomizations=tuple(readiness(unit.inspected.environment.name, unit.node) for unit in context.units),
        findings=findings,
    )


def environment_outcome(graph: Graph) -> Outcome:
    """How much of an environment was looked at."""
    counts = {state: sum(node.state is state for node in graph) for state in NodeState}
    remote = sum(len(node.remote) for node in graph)
    aside = counts[NodeState.FOREIGN] + counts[NodeState.UNKNOWN]
    parts = [
        f"{len(graph.nodes)} Kustomizations with {sum(len(node.manifests) for node in graph)} objects",
        *([f"paths count from {graph.source_directory}/"] if graph.source_directory != "." else []),
        *([f"{aside} not checked here"] if aside else []),
        *(
            [f"{counted(remote, 'remote base')} left out for want of --allow-remote"]
            if (remote := sum(len(node.remote) for node in graph))
            else []
        ),
        *([f"{counted(missing, 'chart')} not available here"] if (missing := _missing_charts(graph)) else []),
    ]
    return Outcome(Status.UNCHANGED, "; ".join(parts), title=graph.environment)


def _missing_charts(graph: Graph) -> int:
    """HelmReleases whose objects nobody can know here: their charts come from elsewhere, or their values do."""
    return sum(release.state in (NodeState.FOREIGN, NodeState.UNKNOWN) for node in graph for release in node.releases)


_REASONS = {NodeState.BUILT: "Built", NodeState.FAILED: "BuildFailed", NodeState.FOREIGN: "NotHere", NodeState.UNKNOWN: "NotKnown"}


def readiness(environment: str, node: Node) -> Readiness:
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
        environment=environment,
    )


def _message(node: Node) -> str:
    if node.failure:
        return node.failure.message
    if node.state is NodeState.FOREIGN:
        source = node.kustomization.source
        return f"comes from {source.kind} {source.namespace}/{source.name}, not checked here"
    remote = f"; {counted(len(node.remote), 'remote base')} not checked here" if node.remote else ""
    return f"{len(node.manifests)} objects{remote}"
