"""spec.healthChecks of a Kustomization."""

from collections.abc import Container, Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import HELM_RELEASE, is_flux
from devloop.model.kubernetes.api_groups import CLUSTER_SCOPED, group_of, is_built_in
from devloop.model.kubernetes.manifest import mappings_in
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.given import is_given, known_sources
from devloop.model.lint.inventory import Inventory, fully_known


def health_check_missing(context: LintContext) -> Iterator[Diagnostic]:
    """A health check of an object that nothing creates."""
    for inventory in fully_known(context):
        sources = known_sources(inventory)
        for kustomization, _ in inventory.applied.values():
            for check in _checks(kustomization):
                if not _exists(inventory, sources, check, kustomization.id.namespace):
                    yield _missing(inventory, kustomization, check)


def _checks(kustomization: KustomizationContext) -> list[Mapping[str, Any]]:
    """None of a suspended one, nor with wait: true: then Flux waits for all that it applied, and ignores them."""
    is_checked = kustomization.spec.get("wait") is not True and not kustomization.node.kustomization.suspended
    return mappings_in(kustomization.spec.get("healthChecks")) if is_checked else []


def _missing(inventory: Inventory, kustomization: KustomizationContext, check: Mapping[str, Any]) -> Diagnostic:
    namespace, name = check.get("namespace") or kustomization.id.namespace, str(check.get("name"))
    return kustomization.diagnostic(
        "{kustomization} waits for the {target}, which nothing creates{place}",
        *("healthChecks", {"name": name}),
        hint="correct the health check, or remove it",
        severity=inventory.severity,
        target=f"{check.get('kind')} {namespace}/{name}",
        place=inventory.place,
    )


def _exists(inventory: Inventory, sources: Container[SourceRef], check: Mapping[str, Any], default: str) -> bool:
    """Only kinds of Kubernetes and Flux are certain: controllers create objects of other kinds at run time."""
    group, kind, name = group_of(str(check.get("apiVersion"))), str(check.get("kind")), str(check.get("name"))
    namespace = "" if kind in CLUSTER_SCOPED else str(check.get("namespace") or default)
    is_known = inventory.has(group, kind, namespace, name) or is_given(kind, namespace, name) or SourceRef(kind, namespace, name) in sources
    if is_known or inventory.generated.may_have(kind, name):
        return True
    if is_flux(group):
        return not any(key.kind == kind for key in inventory.objects) and kind != HELM_RELEASE
    return (
        not is_built_in(group)
        or namespace in inventory.open
        or kind not in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service")
    )


RULES: Rules = {
    "graph/health-check-missing": Rule(
        health_check_missing,
        Severity.ERROR,
        "a health check of an object that never appears fails with a timeout",
        "name an object that the environment renders, with its namespace",
    ),
}
