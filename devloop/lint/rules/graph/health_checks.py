"""spec.healthChecks of a Kustomization."""

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import HELM_RELEASE, is_flux
from devloop.model.kubernetes.api_groups import CLUSTER_SCOPED, group_of, is_built_in
from devloop.model.kubernetes.manifest import mappings_in
from devloop.model.lint.context import LintContext
from devloop.model.lint.inventory import Inventory, fully_known


def health_check_missing(context: LintContext) -> Iterator[Diagnostic]:
    for inventory, kustomization in fully_known(context):
        for check in mappings_in(kustomization.spec.get("healthChecks")):
            namespace, name = check.get("namespace") or kustomization.id.namespace, str(check.get("name"))
            if not _exists(inventory, check, kustomization.id.namespace):
                message, hint = "{kustomization} waits for the {target}, which nothing creates", "correct the health check, or remove it"
                target = f"{check.get('kind')} {namespace}/{name}"
                yield kustomization.diagnostic(message, "healthChecks", {"name": name}, hint=hint, target=target)


def _exists(inventory: Inventory, check: Mapping[str, Any], default: str) -> bool:
    """Only kinds of Kubernetes and Flux are certain: controllers create objects of other kinds at run time."""
    group, kind, name = group_of(str(check.get("apiVersion"))), str(check.get("kind")), str(check.get("name"))
    namespace = "" if kind in CLUSTER_SCOPED else str(check.get("namespace") or default)
    if inventory.has(group, kind, namespace, name):
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
