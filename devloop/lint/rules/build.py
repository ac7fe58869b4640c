"""Every Kustomization builds."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.flux.names import HELM_RELEASE
from devloop.model.lint.context import LintContext, place_of

# Failures that have a rule of their own; what is not here is build/failed.
_SPECIAL = frozenset({"yaml", "duplicate", "undefined", "missing"})


def failed(subject: LintContext) -> Iterator[Diagnostic]:
    """Flux would report BuildFailed."""
    for unit, failure, place in subject.failures:
        if failure.kind not in _SPECIAL:
            yield unit.diagnostic(f"{unit.node.kustomization.id} does not build: {failure.message}", hint=failure.hint, place=place)


def release(subject: LintContext) -> Iterator[Diagnostic]:
    """A chart of the repository does not render with the values of its HelmRelease."""
    for unit in subject.units:
        for each in unit.node.releases:
            if each.failure and each.state is NodeState.FAILED:
                manifest = next(m for m in unit.node.manifests if m.kind == HELM_RELEASE and m.id == each.id)
                place = Location(each.failure.path, each.failure.line) if each.failure.path else place_of(manifest, "spec")
                yield unit.diagnostic(
                    f"the HelmRelease {each.id} does not render: {each.failure.message}", hint=each.failure.hint, place=place
                )


def ignored_field(subject: LintContext) -> Iterator[Diagnostic]:
    """A field of a kustomization file that there is not. Flux drops it from the one it starts with; kustomize refuses it in others."""
    for unit, issue in subject.kustomization_files("build/ignored-field"):
        if unit.node.state is NodeState.BUILT and posixpath.dirname(issue.path) == posixpath.normpath(unit.node.directory):
            yield unit.diagnostic(issue.message, hint=issue.hint, place=issue.location)


RULES: Rules = {
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
    "build/ignored-field": Rule(
        ignored_field,
        Severity.WARNING,
        "Flux leaves a field out that a kustomization file does not have, and says nothing",
        "correct the name of the field, or remove it",
    ),
}
