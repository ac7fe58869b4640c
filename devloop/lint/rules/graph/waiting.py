"""When a Kustomization counts as ready, and how long it waits: spec.wait, healthChecks, timeout and interval."""

from collections.abc import Iterator
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import InputError
from devloop.lint.rules.graph.ownership import first_three
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.duration import parse_duration
from devloop.model.lint.context import LintContext

# Kinds that take time to become healthy; Flux itself waits for namespaces and definitions.
_SLOW = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "HelmRelease"})


def no_wait(context: LintContext) -> Iterator[Diagnostic]:
    """A dependency is ready before its workloads are healthy."""
    for environment in context.environments:
        dependents: dict[str, list[str]] = {}
        for node in environment.graph:
            for dependency in node.kustomization.depends_on:
                dependents.setdefault(str(dependency), []).append(str(node.kustomization.id))
        for kustomization in environment.kustomizations:
            node = kustomization.node
            slow = sorted({f"{manifest.kind}s" for manifest in node.manifests if manifest.kind in _SLOW})
            if slow and str(kustomization.id) in dependents and not node.kustomization.waits:
                waiting = first_three(dependents[str(kustomization.id)])
                message = "{kustomization} is ready before its {kinds} are healthy, so {dependents} may start too early"
                hint = "add wait: true, or healthChecks for what they need"
                yield kustomization.diagnostic(message, hint=hint, kinds=" and ".join(slow), dependents=waiting)


def long_timeout(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization in context.kustomizations:
        timeout, interval = kustomization.spec.get("timeout"), kustomization.spec.get("interval")
        if _seconds(timeout) and 0 < _seconds(interval) <= _seconds(timeout):
            message = "the timeout {timeout} of {kustomization} is not shorter than its interval {interval}"
            hint = "a timeout shorter than the interval reports failures earlier"
            yield kustomization.diagnostic(message, "timeout", hint=hint, timeout=timeout, interval=interval)


def _seconds(value: Any) -> float:
    """0 for an invalid duration, which schema rules report."""
    try:
        return parse_duration(str(value), "") if value else 0
    except InputError:
        return 0


RULES: Rules = {
    "graph/no-wait": Rule(
        no_wait,
        Severity.INFO,
        "dependents that start too early fail and retry, which takes minutes",
        "set wait: true or healthChecks on the dependency",
    ),
    "graph/long-timeout": Rule(
        long_timeout,
        Severity.INFO,
        "a hanging reconciliation blocks every later revision until the timeout",
        "make spec.timeout shorter than spec.interval",
    ),
}
