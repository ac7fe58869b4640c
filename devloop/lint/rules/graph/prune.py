"""spec.prune of a Kustomization."""

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.lint.context import LintContext

# Often kept on purpose, because deleting them deletes data.
_KEPT = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "StorageClass"})


def no_prune(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization in context.kustomizations:
        manifests = kustomization.node.manifests
        if kustomization.spec.get("prune") is False and any(manifest.kind not in _KEPT for manifest in manifests):
            message = "{kustomization} keeps objects in the cluster that were removed from the repository"
            yield kustomization.diagnostic(message, "prune", hint="write prune: true")


RULES: Rules = {
    "graph/no-prune": Rule(
        no_prune,
        Severity.INFO,
        "objects that are never pruned stay in the cluster untracked",
        "write prune: true, and protect single objects with kustomize.toolkit.fluxcd.io/prune: disabled",
    ),
}
