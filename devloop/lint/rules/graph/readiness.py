"""How Kustomizations wait, for how long, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.errors import InputError
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Node
from devloop.model.kubernetes.duration import parse_duration
from devloop.model.lint.context import LintContext

# What takes time to become healthy; Flux itself waits for namespaces and definitions.
_SLOW = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "HelmRelease"})
# What is often left behind on purpose, since deleting it deletes data.
_KEPT = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "StorageClass"})


def no_wait(subject: LintContext) -> Iterator[Diagnostic]:
    """Others depend on a Kustomization that is Ready before its workloads are."""
    for inspected in subject.environments:
        dependents: dict[str, list[str]] = {}
        for node in inspected.graph:
            for dependency in node.kustomization.depends_on:
                dependents.setdefault(str(dependency), []).append(str(node.kustomization.id))
        for unit in inspected.units:
            name = str(unit.node.kustomization.id)
            if name in dependents and not unit.node.kustomization.waits and (slow := _slow(unit.node)):
                message = f"{name} is Ready before its {slow} are healthy, and so lets start {_few(dependents[name])}"
                yield unit.diagnostic(message, hint="add wait: true, or healthChecks of what they need")


def _slow(node: Node) -> str:
    """The kinds that take time, in the plural."""
    return " and ".join(sorted({f"{manifest.kind}s" for manifest in node.manifests if manifest.kind in _SLOW}))


def _few(names: list[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")


def long_timeout(subject: LintContext) -> Iterator[Diagnostic]:
    """A timeout that is not shorter than the interval."""
    for unit in subject.units:
        spec = unit.node.kustomization.spec
        timeout, interval = _seconds(spec.get("timeout")), _seconds(spec.get("interval"))
        if timeout and interval and timeout >= interval:
            message = f"the timeout {spec['timeout']} of {unit.node.kustomization.id} is not below its interval {spec['interval']}"
            yield unit.diagnostic(
                message, "timeout", hint="a timeout that is shorter than the interval says earlier that something is wrong"
            )


def _seconds(value: Any) -> float:
    """0 for what is no duration: others tell that."""
    try:
        return parse_duration(str(value), "") if value else 0
    except InputError:
        return 0


def no_prune(subject: LintContext) -> Iterator[Diagnostic]:
    """What is removed from Git stays in the cluster."""
    for unit in subject.units:
        prune = unit.node.kustomization.spec.get("prune")
        if prune is False and any(manifest.kind not in _KEPT for manifest in unit.node.manifests):
            message = f"{unit.node.kustomization.id} leaves what is removed from the repository in the cluster"
            yield unit.diagnostic(message, "prune", hint="write prune: true")


RULES: Rules = {
    "graph/no-wait": Rule(
        no_wait,
        Severity.INFO,
        "a dependent that starts too early fails and tries again, which costs minutes",
        "give the dependency wait: true or healthChecks",
    ),
    "graph/long-timeout": Rule(
        long_timeout,
        Severity.INFO,
        "a reconciliation that hangs hides every later revision until its time is up",
        "make spec.timeout shorter than spec.interval",
    ),
    "graph/no-prune": Rule(
        no_prune,
        Severity.INFO,
        "the repository says what should be there; what nobody removes is what nobody knows of",
        "write prune: true, and protect single objects with kustomize.toolkit.fluxcd.io/prune: disabled",
    ),
}
