"""What an environment's objects name is there: namespaces, service accounts, the objects of health checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import HELM_RELEASE, NAMESPACE, is_flux
from devloop.model.kubernetes.api_groups import CLUSTER_SCOPED, group_of, is_built_in
from devloop.model.kubernetes.manifest import Manifest, mappings_in
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, inventories

# What a cluster has before Flux reads the first file.
_GIVEN_NAMESPACES = frozenset({"default", NAMESPACE})
_FLUX_ACCOUNTS = frozenset(
    f"{name}-controller" for name in ("source", "kustomize", "helm", "notification", "image-reflector", "image-automation")
) | {"flux-operator"}
# Kinds of Kubernetes that people write and only charts and controllers make beside them.
_WRITTEN = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service", "Namespace"})


def namespace_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """An object goes into a namespace that nothing creates, or into none."""
    for inventory in inventories(subject):
        if inventory.whole:
            there = inventory.namespaces
            for unit in inventory.inspected.units:
                yield from _homeless(unit, there)


def _homeless(unit: KustomizationContext, there: frozenset[str]) -> Iterator[Diagnostic]:
    first: dict[str, Manifest] = {}
    for manifest in unit.node.manifests:
        if _is_namespaced(manifest) and not _is_settled(manifest) and manifest.namespace not in there:
            first.setdefault(manifest.namespace, manifest)
    for namespace, manifest in first.items():
        if namespace:
            hint = f"add the Namespace {namespace} to what the environment renders"
            yield unit.about(manifest, f"nothing creates the namespace {namespace}", "metadata", "namespace", hint=hint)
        else:
            hint = "set metadata.namespace, namespace in kustomization.yaml, or spec.targetNamespace"
            yield unit.about(manifest, f"{manifest} has no namespace, and Flux chooses none", "metadata", hint=hint)


def _is_namespaced(manifest: Manifest) -> bool:
    """Only where that is certain: kustomize gives a namespace to whatever it does not know."""
    group = manifest.group
    return is_flux(group) or (is_built_in(group) and manifest.kind not in CLUSTER_SCOPED and not manifest.kind.endswith("List"))


def _is_settled(manifest: Manifest) -> bool:
    """What a chart says no namespace for goes into its release's."""
    return _is_given(manifest.namespace) or bool(manifest.release and not manifest.namespace)


def _is_given(namespace: str) -> bool:
    return namespace in _GIVEN_NAMESPACES or namespace.startswith("kube-") or "${" in namespace


def account_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """A Kustomization, a HelmRelease or a workload runs as a service account that nothing creates."""
    for inventory in inventories(subject):
        if inventory.whole:
            for unit in inventory.inspected.units:
                yield from _of_kustomization(inventory, unit)
                for manifest in unit.node.manifests:
                    yield from _of_object(inventory, unit, manifest)


def _of_kustomization(inventory: Inventory, unit: KustomizationContext) -> Iterator[Diagnostic]:
    kustomization = unit.node.kustomization
    name = str(kustomization.spec.get("serviceAccountName") or "")
    if name and not _has_account(inventory, kustomization.id.namespace, name):
        message = f"{kustomization.id} is applied as the ServiceAccount {name}, which nothing creates in {kustomization.id.namespace}"
        yield unit.diagnostic(message, "serviceAccountName", hint=_ACCOUNT)


def _of_object(inventory: Inventory, unit: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    is_release = is_helm_release(manifest)
    pod = pod_template(manifest)
    where = ("spec",) if is_release else (*pod.field, "spec") if pod else ()
    name = str(manifest.mapping(*where).get("serviceAccountName") or "") if where else ""
    if name and not _has_account(inventory, manifest.namespace, name):
        message = f"{manifest} runs as the ServiceAccount {name}, which nothing creates in {manifest.namespace}"
        yield unit.about(manifest, message, *where, "serviceAccountName", hint=_ACCOUNT)


_ACCOUNT = "add the ServiceAccount to what the environment renders, or correct its name"


def _has_account(inventory: Inventory, namespace: str, name: str) -> bool:
    """Also where a chart or a controller may make it, and where the cluster has it anyway."""
    given = name == "default" or "${" in name or namespace.startswith("kube-") or name in _FLUX_ACCOUNTS
    return given or namespace in inventory.open or inventory.has("", "ServiceAccount", namespace, name)


def health_check_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """A health check waits for an object that nothing creates."""
    for inventory in inventories(subject):
        for unit in inventory.inspected.units if inventory.whole else ():
            kustomization = unit.node.kustomization
            for check in mappings_in(kustomization.spec.get("healthChecks")):
                if not _is_there(inventory, check, kustomization.id.namespace):
                    target = f"{check.get('kind')} {check.get('namespace') or kustomization.id.namespace}/{check.get('name')}"
                    message = f"{kustomization.id} waits for the {target}, which nothing creates"
                    hint = "correct the health check, or remove it"
                    yield unit.diagnostic(message, "healthChecks", {"name": str(check.get("name"))}, hint=hint)


def _is_there(inventory: Inventory, check: Mapping[str, Any], default: str) -> bool:
    """Only kinds of Kubernetes and of Flux are certain: controllers make others at run time."""
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
    "graph/namespace-missing": Rule(
        namespace_missing,
        Severity.ERROR,
        "the API server refuses objects of a namespace that is not there, and with them the whole Kustomization",
        "render the Namespace in the same Kustomization or in one that it depends on",
    ),
    "graph/service-account-missing": Rule(
        account_missing,
        Severity.ERROR,
        "without its service account nothing is applied and no pod starts",
        "render the ServiceAccount, or correct its name",
    ),
    "graph/health-check-missing": Rule(
        health_check_missing,
        Severity.ERROR,
        "a health check of something that never appears fails when its time is up",
        "name an object that the environment renders, with its namespace",
    ),
}
