"""The service accounts of Kustomizations, HelmReleases and workloads."""

from collections.abc import Iterator
from typing import Any

from devloop.diagnostic import Diagnostic, FieldStep, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.bootstrap import bootstrap_file
from devloop.model.lint.context import LintContext
from devloop.model.lint.given import FLUX_PROGRAMS, is_given
from devloop.model.lint.inventory import Inventory, fully_known

_HINT = "add the ServiceAccount to the environment, or correct its name"


def account_missing(context: LintContext) -> Iterator[Diagnostic]:
    for inventory in fully_known(context):
        for kustomization in inventory.living:
            own, namespace = str(kustomization.spec.get("serviceAccountName") or ""), kustomization.id.namespace
            # Those who lock tenants in give the root an account of its own.
            account = own or (inventory.graph.setup.service_account if kustomization.node.parent else "")
            if account and "kubeConfig" not in kustomization.spec and not _exists(inventory, namespace, account):
                message = "{kustomization} is applied as the ServiceAccount {account}, which {problem} in {namespace}{place}"
                missing = _missing(context, inventory, namespace, account)
                yield kustomization.diagnostic(message, *(["serviceAccountName"] if own else []), **missing)
        for kustomization, manifests in inventory.applied.values():
            for manifest in manifests:
                field, account = _account(manifest)
                if account and not _exists(inventory, manifest.namespace, account):
                    message = "{object} runs as the ServiceAccount {account}, which {problem} in {namespace}{place}"
                    missing = _missing(context, inventory, manifest.namespace, account)
                    yield kustomization.about(manifest, message, *field, **missing)


def _account(manifest: Manifest) -> tuple[tuple[FieldStep, ...], str]:
    """The field of a workload or HelmRelease with the name of its service account, and the name; '' for that of another cluster."""
    pod = pod_template(manifest, any_version=True)
    above = ("spec",) if is_helm_release(manifest) else (*pod.field, "spec") if pod else ()
    spec = manifest.mapping(*above) if above else {}
    return (*above, "serviceAccountName"), "" if "kubeConfig" in spec else str(spec.get("serviceAccountName") or "")


def _missing(context: LintContext, inventory: Inventory, namespace: str, account: str) -> dict[str, Any]:
    """The rest of the diagnostic: for information if a file that no Kustomization applies has the account."""
    file = bootstrap_file(context, "ServiceAccount", namespace, account)
    return {
        "hint": f"apply {file} before Flux starts, or add it to the environment" if file else _HINT,
        "severity": Severity.INFO if file else inventory.severity,
        "problem": f"only {file} creates" if file else "nothing creates",
        "account": account,
        "namespace": namespace,
        "place": inventory.place,
    }


def _exists(inventory: Inventory, namespace: str, account: str) -> bool:
    """Also where a chart or a controller may create it, and for accounts of the cluster itself."""
    given = "${" in account or is_given("ServiceAccount", namespace, account) or account in FLUX_PROGRAMS
    given = given or inventory.generated.may_have("ServiceAccount", account)
    return given or namespace in inventory.open or inventory.has("", "ServiceAccount", namespace, account)


RULES: Rules = {
    "graph/service-account-missing": Rule(
        account_missing,
        Severity.ERROR,
        "without its service account nothing is applied and no pod starts",
        "render the ServiceAccount, or correct its name",
    ),
}
