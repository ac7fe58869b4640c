"""spec.postBuild.substituteFrom of a Kustomization: the sources of its variables."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.lint.bootstrap import bootstrap_file
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.given import is_given
from devloop.model.lint.inventory import Inventory, fully_known


def variables_missing(context: LintContext) -> Iterator[Diagnostic]:
    for inventory in fully_known(context):
        for kustomization in inventory.living:
            for source in mapping_at(kustomization.spec, "postBuild").get("substituteFrom") or ():
                kind, name = str(source.get("kind")), str(source.get("name"))
                if not source.get("optional") and not _has_source(inventory, kind, kustomization.id.namespace, name):
                    yield _missing(context, inventory, kustomization, kind, name)


def _missing(context: LintContext, inventory: Inventory, kustomization: KustomizationContext, kind: str, name: str) -> Diagnostic:
    """For information if a file that no Kustomization applies has it: somebody applies that by hand."""
    namespace = kustomization.id.namespace
    file = bootstrap_file(context, kind, namespace, name)
    add = "add it to an earlier Kustomization of the environment, or set optional: true"
    return kustomization.diagnostic(
        "{kustomization} takes variables from the {source}, which {problem} in {namespace}{place}",
        *("postBuild", "substituteFrom", {"name": name}, "name"),
        hint=f"apply {file} before Flux starts, or add it to the environment" if file else add,
        severity=Severity.INFO if file else inventory.severity,
        problem=f"only {file} creates" if file else "nothing creates",
        source=f"{kind} {name}",
        namespace=namespace,
        place=inventory.place,
    )


def _has_source(inventory: Inventory, kind: str, namespace: str, name: str) -> bool:
    """ExternalSecrets, SealedSecrets and the like create a Secret with their own name, or with the name of their target."""
    if inventory.has("", kind, namespace, name) or is_given(kind, namespace, name) or inventory.generated.may_have(kind, name):
        return True
    return any(
        name in (key.name, str(manifest.mapping("spec", "target").get("name")))
        for key, found in inventory.objects.items()
        if key.namespace == namespace and not is_built_in(key.group) and not is_flux(key.group)
        for _, manifest in found
    )


RULES: Rules = {
    "graph/variables-missing": Rule(
        variables_missing,
        Severity.ERROR,
        "a Kustomization fails until every source of its variables exists",
        "render the ConfigMap or the Secret in the Kustomization's namespace, or make it optional",
    ),
}
