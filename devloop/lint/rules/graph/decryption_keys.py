"""spec.decryption of a Kustomization: the Secret with the age keys."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.names import KEYS_SECRET
from devloop.model.kubernetes.manifest import mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.bootstrap import bootstrap_file
from devloop.model.lint.context import LintContext
from devloop.model.lint.inventory import Inventory, inventories


def key_elsewhere(context: LintContext) -> Iterator[Diagnostic]:
    """The age keys have an unusual name, so they must be created by hand in a real cluster."""
    for inventory in inventories(context):
        for kustomization in inventory.living:
            name = str(mapping_at(kustomization.spec, "decryption", "secretRef").get("name") or "")
            secret = ObjectId(kustomization.id.namespace, name)
            if name and secret != KEYS_SECRET and not _exists(context, inventory, secret):
                message = "{kustomization} decrypts with the Secret {secret}, which nothing in the repository creates"
                hint = "devloop up creates it; a real cluster needs it beforehand"
                yield kustomization.diagnostic(message, "decryption", "secretRef", "name", hint=hint, secret=secret)


def _exists(context: LintContext, inventory: Inventory, secret: ObjectId) -> bool:
    return inventory.has("", "Secret", secret.namespace, secret.name) or bool(
        bootstrap_file(context, "Secret", secret.namespace, secret.name)
    )


RULES: Rules = {
    "graph/key-elsewhere": Rule(
        key_elsewhere,
        Severity.INFO,
        "keys are not in the repository, so anyone who creates a cluster must know which Secret they belong in",
        "document where the key belongs, or use the usual flux-system/sops-age",
    ),
}
