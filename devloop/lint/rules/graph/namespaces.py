"""The namespaces of rendered objects."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import NAMESPACE, is_flux
from devloop.model.kubernetes.api_groups import CLUSTER_SCOPED, is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.bootstrap import bootstrap_file
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, inventories

# Every cluster with Flux has these.
_GIVEN = frozenset({"default", NAMESPACE})


def namespace_missing(context: LintContext) -> Iterator[Diagnostic]:
    """Nothing creates the namespace of an object, or the object has none."""
    for inventory in inventories(context):
        named = _named(inventory)
        for kustomization, manifests in inventory.applied.values():
            first: dict[str, Manifest] = {}
            for manifest in manifests:
                if not _is_given(manifest) and manifest.namespace not in inventory.namespaces and _is_namespaced(inventory, manifest):
                    first.setdefault(manifest.namespace, manifest)
            for namespace, manifest in first.items():
                if not namespace:
                    hint = "set metadata.namespace, namespace in kustomization.yaml, or spec.targetNamespace"
                    yield kustomization.about(manifest, "{object} has no namespace, and Flux sets none", "metadata", hint=hint)
                elif inventory.whole and namespace not in named and not inventory.generated.may_have("Namespace", namespace):
                    yield _missing(context, inventory, kustomization, manifest)


def _named(inventory: Inventory) -> set[str]:
    """The names of cluster-scoped custom resources: some make a namespace of that name, as OpenShift's Projects and Kubeflow's Profiles."""
    return {key.name for key in inventory.objects if not key.namespace and not is_built_in(key.group) and not is_flux(key.group)}


def _missing(context: LintContext, inventory: Inventory, kustomization: KustomizationContext, manifest: Manifest) -> Diagnostic:
    """If a file that no Kustomization applies has the Namespace, somebody applies it by hand."""
    namespace = manifest.namespace
    file = bootstrap_file(context, "Namespace", "", namespace)
    message, hint = "nothing creates the namespace {namespace}{place}", f"add the Namespace {namespace} to the environment"
    severity = inventory.severity
    if file:
        message, severity = "no Kustomization creates the namespace {namespace}{place}, {file} does", Severity.INFO
        hint = f"apply {file} before Flux starts, or add it to the environment"
    about, place = kustomization.about, inventory.place
    return about(manifest, message, "metadata", "namespace", hint=hint, severity=severity, namespace=namespace, place=place, file=file)


def _is_namespaced(inventory: Inventory, manifest: Manifest) -> bool:
    """Only where that is certain: of a custom resource, the environment has the definition."""
    group, kind = manifest.group, manifest.kind
    if is_built_in(group):
        return kind not in CLUSTER_SCOPED and not kind.endswith("List")
    return is_flux(group) or (group, kind) in inventory.namespaced


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
