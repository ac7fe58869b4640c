"""What a Kustomization needs before it can build: the sources of its variables and the keys of its secrets."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import KEYS_SECRET, is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import LintContext
from devloop.model.lint.inventory import Inventory, inventories

# Where KSail, Flux' own documentation and devloop put the Age keys of a cluster.


def variables_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """substituteFrom names a ConfigMap or a Secret that nothing creates."""
    for inventory in inventories(subject):
        for unit in inventory.inspected.units if inventory.whole else ():
            kustomization = unit.node.kustomization
            for source in mapping_at(kustomization.spec, "postBuild").get("substituteFrom") or ():
                kind, name = str(source.get("kind")), str(source.get("name"))
                if not source.get("optional") and not _has_source(inventory, kind, kustomization.id.namespace, name):
                    message = (
                        f"{kustomization.id} takes variables from the {kind} {name}, which nothing creates in {kustomization.id.namespace}"
                    )
                    hint = "add it to what the environment renders before, or say optional: true"
                    yield unit.diagnostic(message, "postBuild", "substituteFrom", {"name": name}, "name", hint=hint)


def _has_source(inventory: Inventory, kind: str, namespace: str, name: str) -> bool:
    """An ExternalSecret, a SealedSecret and the like make a Secret of their own name, or of the one that their target says."""
    if inventory.has("", kind, namespace, name):
        return True
    return any(
        name in (key.name, str(manifest.mapping("spec", "target").get("name")))
        for key, found in inventory.objects.items()
        if key.namespace == namespace and not is_built_in(key.group) and not is_flux(key.group)
        for _, manifest in found
    )


def key_elsewhere(subject: LintContext) -> Iterator[Diagnostic]:
    """The Age keys are expected under a name of the repository's own, and have to be brought into a real cluster by hand."""
    for inventory in inventories(subject):
        for unit in inventory.inspected.units:
            kustomization = unit.node.kustomization
            name = str(mapping_at(kustomization.spec, "decryption", "secretRef").get("name") or "")
            secret = ObjectId(kustomization.id.namespace, name)
            if name and secret != KEYS_SECRET and not inventory.has("", "Secret", secret.namespace, name):
                message = f"{kustomization.id} decrypts with the Secret {secret}, which nothing in the repository creates"
                yield unit.diagnostic(
                    message, "decryption", "secretRef", "name", hint="devloop up makes it; a real cluster needs it beforehand"
                )


RULES: Rules = {
    "graph/variables-missing": Rule(
        variables_missing,
        Severity.ERROR,
        "a Kustomization fails until every source of its variables is there",
        "render the ConfigMap or the Secret in the Kustomization's namespace, or make it optional",
    ),
    "graph/key-elsewhere": Rule(
        key_elsewhere,
        Severity.INFO,
        "keys are not in the repository, so whoever makes a cluster has to know which Secret they belong in",
        "say in a document where the key belongs, or use the usual flux-system/sops-age",
    ),
}
