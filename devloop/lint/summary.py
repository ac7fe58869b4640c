"""The report of a validation: an outcome per environment, a readiness per Kustomization."""

from devloop.diagnostic import Diagnostic
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.lint.context import LintContext
from devloop.model.messages import counted
from devloop.model.report import Outcome, Readiness, Report, Status

# The source, chart or values are not in the repository.
_UNCHECKED = (NodeState.FOREIGN, NodeState.UNKNOWN)
_REASONS = {NodeState.BUILT: "Built", NodeState.FAILED: "BuildFailed", NodeState.FOREIGN: "NotHere", NodeState.UNKNOWN: "NotKnown"}


def summarise(context: LintContext, findings: tuple[Diagnostic, ...]) -> Report:
    return Report(
        "validate",
        ", ".join(built.environment.name for built in context.environments),
        steps=tuple(_environment(built.graph) for built in context.environments),
        kustomizations=tuple(_readiness(built.environment.name, node) for built in context.environments for node in built.graph),
        findings=findings,
    )


def _environment(graph: Graph) -> Outcome:
    remote = sum(len(node.remote) for node in graph)
    unchecked = sum(node.state in _UNCHECKED for node in graph)
    charts = sum(release.state in _UNCHECKED for node in graph for release in node.releases)
    parts = [
        f"{len(graph.nodes)} Kustomizations with {sum(len(node.manifests) for node in graph)} objects",
        *([f"paths are relative to {graph.source_directory}/"] if graph.source_directory != "." else []),
        *([f"{unchecked} not checked here"] if unchecked else []),
        *([f"{counted(remote, 'remote base')} skipped (use --allow-remote)"] if remote else []),
        *([f"{counted(charts, 'chart')} not available here"] if charts else []),
    ]
    return Outcome(Status.UNCHANGED, "; ".join(parts), title=graph.environment)


def _readiness(environment: str, node: Node) -> Readiness:
    """Ready unless its build failed."""
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
