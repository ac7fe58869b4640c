"""The service accounts of Kustomizations, HelmReleases and workloads."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import LintContext
from devloop.model.lint.inventory import Inventory, fully_known

_FLUX_ACCOUNTS = frozenset(
    f"{name}-controller" for name in ("source", "kustomize", "helm", "notification", "image-reflector", "image-automation")
) | {"flux-operator"}
_HINT = "add the ServiceAccount to the environment, or correct its name"


def account_missing(context: LintContext) -> Iterator[Diagnostic]:
    for inventory, kustomization in fully_known(context):
        account, namespace = str(kustomization.spec.get("serviceAccountName") or ""), kustomization.id.namespace
        if account and not _exists(inventory, namespace, account):
            message = "{kustomization} is applied as the ServiceAccount {account}, which nothing creates in {namespace}"
            yield kustomization.diagnostic(message, "serviceAccountName", hint=_HINT, account=account, namespace=namespace)
        for manifest in kustomization.node.manifests:
            pod = pod_template(manifest, any_version=True)
            field = ("spec",) if is_helm_release(manifest) else (*pod.field, "spec") if pod else ()
            account = str(manifest.mapping(*field).get("serviceAccountName") or "") if field else ""
            if account and not _exists(inventory, manifest.namespace, account):
                message = "{object} runs as the ServiceAccount {account}, which nothing creates in {namespace}"
                account_field, namespace = (*field, "serviceAccountName"), manifest.namespace
                yield kustomization.about(manifest, message, *account_field, hint=_HINT, account=account, namespace=namespace)


def _exists(inventory: Inventory, namespace: str, account: str) -> bool:
    """Also where a chart or a controller may create it, and for accounts of the cluster itself."""
    given = account == "default" or "${" in account or namespace.startswith("kube-") or account in _FLUX_ACCOUNTS
    return given or namespace in inventory.open or inventory.has("", "ServiceAccount", namespace, account)


RULES: Rules = {
    "graph/service-account-missing": Rule(
        account_missing,
        Severity.ERROR,
        "without its service account nothing is applied and no pod starts",
        "render the ServiceAccount, or correct its name",
    ),
}
