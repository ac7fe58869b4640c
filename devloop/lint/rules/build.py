"""Every Kustomization builds."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Failure, NodeState
from devloop.model.flux.helm_release import KIND
from devloop.model.flux.kustomization import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext, place_of
from devloop.model.lint.location import Fault, Location
from devloop.model.report import Severity

# Failures that have a rule of their own; what is not here is build/failed.
_SPECIAL = frozenset({"yaml", "duplicate", "undefined", "missing"})


def syntax(subject: LintContext) -> Iterator[Fault]:
    """A file that a build reads is no YAML."""
    for unit, failure, place in _failures(subject):
        if failure.kind == "yaml":
            yield unit.fault(f"this is no valid YAML: {failure.message}", hint=failure.hint, place=place)


def failed(subject: LintContext) -> Iterator[Fault]:
    """Flux would report BuildFailed."""
    for unit, failure, place in _failures(subject):
        if failure.kind not in _SPECIAL:
            yield unit.fault(f"{unit.node.kustomization.id} does not build: {failure.message}", hint=failure.hint, place=place)


def release(subject: LintContext) -> Iterator[Fault]:
    """A chart of the repository does not render with the values of its HelmRelease."""
    for unit in subject.units:
        for each in unit.node.releases:
            if each.failure and each.state is NodeState.FAILED:
                manifest = next(m for m in unit.node.manifests if m.kind == KIND and (m.namespace or "default", m.name) == _pair(each.id))
                place = Location(each.failure.path, each.failure.line) if each.failure.path else place_of(manifest, "spec")
                yield unit.fault(f"the HelmRelease {each.id} does not render: {each.failure.message}", hint=each.failure.hint, place=place)


def _pair(name: ObjectId) -> tuple[str, str]:
    return name.namespace, name.name


def _failures(subject: LintContext) -> Iterator[tuple[KustomizationContext, Failure, Location]]:
    for unit in subject.units:
        failure = unit.node.failure
        if failure and unit.node.state is NodeState.FAILED:
            yield unit, failure, Location(failure.path, failure.line) if failure.path else unit.place()


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
    "build/release": Rule(
        release,
        Severity.ERROR,
        "helm-controller installs nothing of a chart that does not render",
        "mend the template or the values that the message names; `helm template` of the chart with these values fails in the same way",
    ),
}
