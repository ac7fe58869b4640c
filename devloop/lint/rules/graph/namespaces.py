"""The namespaces of rendered objects."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import NAMESPACE, is_flux
from devloop.model.kubernetes.api_groups import CLUSTER_SCOPED, is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import LintContext
from devloop.model.lint.inventory import fully_known

# Every cluster with Flux has these.
_GIVEN = frozenset({"default", NAMESPACE})


def namespace_missing(context: LintContext) -> Iterator[Diagnostic]:
    """Nothing creates the namespace of an object, or the object has none."""
    for inventory, kustomization in fully_known(context):
        first: dict[str, Manifest] = {}
        for manifest in kustomization.node.manifests:
            if _is_namespaced(manifest) and not _is_given(manifest) and manifest.namespace not in inventory.namespaces:
                first.setdefault(manifest.namespace, manifest)
        for namespace, manifest in first.items():
            if namespace:
                message, hint = "nothing creates the namespace {namespace}", f"add the Namespace {namespace} to the environment"
                yield kustomization.about(manifest, message, "metadata", "namespace", hint=hint, namespace=namespace)
            else:
                hint = "set metadata.namespace, namespace in kustomization.yaml, or spec.targetNamespace"
                yield kustomization.about(manifest, "{object} has no namespace, and Flux sets none", "metadata", hint=hint)


def _is_namespaced(manifest: Manifest) -> bool:
    """Only where that is certain: kustomize sets a namespace on every kind that it does not know."""
    group = manifest.group
    return is_flux(group) or (is_built_in(group) and manifest.kind not in CLUSTER_SCOPED and not manifest.kind.endswith("List"))


def _is_given(manifest: Manifest) -> bool:
    """Objects of a chart without a namespace go into that of its release."""
    namespace = manifest.namespace
    return namespace in _GIVEN or namespace.startswith("kube-") or "${" in namespace or bool(manifest.release and not namespace)


RULES: Rules = {
    "graph/namespace-missing": Rule(
        namespace_missing,
        Severity.ERROR,
        "the API server rejects objects in a missing namespace, and the whole Kustomization fails",
        "render the Namespace in the same Kustomization or in one that it depends on",
    ),
}
