"""Every object belongs to exactly one Kustomization."""

from collections.abc import Iterable, Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.kustomization import is_kustomization
from devloop.model.flux.names import KUSTOMIZE_GROUP
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Identity, inventories

_SSA = f"{KUSTOMIZE_GROUP}/ssa"


def two_owners(context: LintContext) -> Iterator[Diagnostic]:
    """Two Kustomizations of an environment apply the same object."""
    for inventory in inventories(context):
        shared: dict[tuple[ObjectId, ...], list[tuple[Identity, KustomizationContext, Manifest]]] = {}
        for key, found in inventory.objects.items():
            owners = {each.id: (each, manifest) for each, manifest in found if _owns(each, manifest)}
            if len(owners) > 1:
                first, second = sorted(owners)[:2]
                shared.setdefault((first, second), []).append((key, *owners[second]))
        for (first, _), objects in shared.items():
            _, kustomization, manifest = objects[0]
            message = "{other} and {kustomization} both apply {objects}"
            hint = "leave it to one of them; move a component or a base that both include into its own Kustomization"
            names = first_three(str(key) for key, _, _ in objects)
            yield kustomization.about(manifest, message, hint=hint, other=first, objects=names)


def _owns(kustomization: KustomizationContext, manifest: Manifest) -> bool:
    """Not if suspended or if it shares the object with other owners; Kustomizations have their own rule."""
    annotations = manifest.mapping("metadata", "annotations")
    shares = str(annotations.get(_SSA, "")).lower() in ("merge", "ifnotpresent", "ignore")
    shares = shares or _is_of_a_chart(manifest)
    return not (shares or kustomization.node.kustomization.suspended or is_kustomization(manifest.body))


def _is_of_a_chart(manifest: Manifest) -> bool:
    """A definition in crds/ of a chart, or in a packed chart: helm-controller applies it beside others and never removes it."""
    path = manifest.origin.path
    return bool(manifest.release) and manifest.kind == "CustomResourceDefinition" and ("/crds/" in path or path.endswith(".tgz"))


def first_three(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")


def rendered_twice(context: LintContext) -> Iterator[Diagnostic]:
    """Two parents render the same Kustomization."""
    for kustomization in context.kustomizations:
        node = kustomization.node
        if node.others and node.parent:
            parents = ", ".join(map(str, sorted({node.parent, *node.others})))
            message, hint = "{kustomization} is rendered more than once, by {parents}", "leave it to one of them"
            yield kustomization.diagnostic(message, hint=hint, parents=parents)


RULES: Rules = {
    "graph/two-owners": Rule(
        two_owners,
        Severity.WARNING,
        "each of the two overwrites the other's version, and removing it from one deletes it for both",
        "render the object in one Kustomization, and make the other depend on it",
    ),
    "graph/rendered-twice": Rule(
        rendered_twice,
        Severity.ERROR,
        "the two parents keep overwriting each other's version",
        "render it in one of the parents, or use different names",
    ),
}
