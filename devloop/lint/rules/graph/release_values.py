"""spec.valuesFrom of HelmReleases."""

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.flux.names import HELM_GROUP, HELM_RELEASE
from devloop.model.kubernetes.manifest import Manifest, mappings_in
from devloop.model.lint.bootstrap import bootstrap_file
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.given import is_given
from devloop.model.lint.inventory import Identity, Inventory, fully_known
from devloop.model.lint.makers import Makers


def values_missing(context: LintContext) -> Iterator[Diagnostic]:
    """A HelmRelease takes values from something that nothing makes, or that has no such key."""
    for inventory in fully_known(context):
        makers = Makers(inventory)
        for kustomization, release in inventory.of_kind(HELM_GROUP, HELM_RELEASE):
            spec = release.mapping("spec")
            for number, reference in enumerate(mappings_in(spec.get("valuesFrom"))):
                if reference.get("optional") is not True and spec.get("suspend") is not True:
                    yield from _problem(context, inventory, makers, kustomization, release, number, reference)


def _problem(
    context: LintContext,
    inventory: Inventory,
    makers: Makers,
    kustomization: KustomizationContext,
    release: Manifest,
    number: int,
    reference: Mapping[str, Any],
) -> Iterator[Diagnostic]:
    kind, namespace, name = str(reference.get("kind")), release.id.namespace, str(reference.get("name"))
    key, file = str(reference.get("valuesKey") or "values.yaml"), ""
    found = [manifest for _, manifest in inventory.objects.get(Identity("", kind, namespace, name), ())]
    if found:
        if _fails(kustomization, release) or any(map(_is_open, found)) or any(key in _keys(manifest) for manifest in found):
            return
        problem, hint = "which has no key {key}", "correct valuesKey, or set optional: true"
    elif not is_given(kind, namespace, name) and not makers.may_make(kind, namespace, name, release.name):
        file = bootstrap_file(context, kind, namespace, name)
        problem = "which only {file} creates" if file else "which nothing creates in {namespace}{place}"
        add = "add it to the environment, or set optional: true"
        hint = "apply it before Flux starts, or add it to the environment" if file else add
    else:
        return
    # A Secret may well be made by hand.
    severity = Severity.INFO if file else inventory.severity or (Severity.WARNING if kind == "Secret" else None)
    yield kustomization.about(
        release,
        "the HelmRelease {release} takes values from the {source}, " + problem,
        *("spec", "valuesFrom", number, "valuesKey" if found and reference.get("valuesKey") else "name"),
        hint=hint,
        severity=severity,
        release=release.id,
        source=f"{kind} {name}",
        namespace=namespace,
        place=inventory.place,
        key=key,
        file=file,
    )


def _fails(kustomization: KustomizationContext, release: Manifest) -> bool:
    """Then the failure says what is missing."""
    return any(each.id == release.id and each.state is NodeState.FAILED for each in kustomization.node.releases)


def _is_open(manifest: Manifest) -> bool:
    """Whether something in the cluster adds the keys, or they are not known."""
    return bool(manifest.unknown) or not _keys(manifest)


def _keys(manifest: Manifest) -> set[str]:
    return {*manifest.mapping("data"), *(manifest.mapping("stringData") if manifest.kind == "Secret" else ())}


RULES: Rules = {
    "graph/values-missing": Rule(
        values_missing,
        Severity.ERROR,
        "a HelmRelease fails until everything that it takes values from exists",
        "render the ConfigMap or the Secret in the namespace of the HelmRelease, or make it optional",
    ),
}
