"""Every object has one owner, and every custom resource a definition that is there before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Node, NodeState
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.kustomization import is_kustomization
from devloop.model.flux.names import HELM_GROUP, HELM_RELEASE, KUSTOMIZE_GROUP, is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Identity, Inventory, inventories, is_rendered

_SSA = f"{KUSTOMIZE_GROUP}/ssa"
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def two_owners(subject: LintContext) -> Iterator[Diagnostic]:
    """Two Kustomizations of an environment apply one and the same object."""
    for inventory in inventories(subject):
        shared: dict[tuple[ObjectId, ...], list[tuple[Identity, KustomizationContext, Manifest]]] = {}
        for key, found in inventory.objects.items():
            owners = {unit.node.kustomization.id: (unit, manifest) for unit, manifest in found if _owns(unit, manifest)}
            if len(owners) > 1:
                first, second = sorted(owners)[:2]
                shared.setdefault((first, second), []).append((key, *owners[second]))
        for (first, second), objects in shared.items():
            _, unit, manifest = objects[0]
            names = _listing(str(key) for key, _, _ in objects)
            hint = "leave it to one of them; a component or a base that both include belongs into a Kustomization of its own"
            yield unit.about(manifest, f"{first} and {second} both apply {names}", hint=hint)


def _owns(unit: KustomizationContext, manifest: Manifest) -> bool:
    """Not who is suspended, and not who only adds to an object that another owns; Kustomizations have a rule of their own."""
    annotations = manifest.mapping("metadata", "annotations")
    shares = str(annotations.get(_SSA, "")).lower() in ("merge", "ifnotpresent", "ignore")
    return not (shares or unit.node.kustomization.suspended or is_kustomization(manifest.body))


def _listing(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - 3} more" if len(known) > 3 else ""
    return ", ".join(known[:3]) + more


Kind = tuple[str, str]


def definition_missing(subject: LintContext) -> Iterator[Diagnostic]:
    """A custom resource is applied before, or without, its definition. Told once for each kind where no chart looks as if it had it."""
    for inventory in inventories(subject):
        defined = _defined(inventory)
        unsolved: dict[Kind, list[tuple[KustomizationContext, Manifest]]] = {}
        for unit in inventory.inspected.units:
            for kind, manifest in _undefined(inventory, unit, defined):
                if kind in defined:
                    yield _too_early(inventory, unit, manifest, defined[kind])
                elif charts := _charts(inventory, kind[0]):
                    hint = _advice(inventory, unit.node.kustomization.id, charts)
                    yield unit.about(manifest, f"{_what(unit, manifest)}, {_NOTHING}", "kind", hint=hint)
                else:
                    unsolved.setdefault(kind, []).append((unit, manifest))
        for (unit, manifest), *others in unsolved.values():
            more = f"; {len(others)} more apply such resources" if others else ""
            yield unit.about(manifest, f"{_what(unit, manifest)}, {_NOTHING}{more}", "kind", hint=_NOWHERE)


_NOTHING = "and nothing that it waits for brings its definition"


def _defined(inventory: Inventory) -> Mapping[Kind, set[ObjectId]]:
    """Who renders the definition of which group and kind."""
    found: dict[Kind, set[ObjectId]] = {}
    for unit, manifest in inventory.of_kind(*_CRD):
        kind = (str(manifest.mapping("spec").get("group")), str(manifest.mapping("spec", "names").get("kind")))
        found.setdefault(kind, set()).add(unit.node.kustomization.id)
    return found


def _undefined(inventory: Inventory, unit: KustomizationContext, defined: Mapping[Kind, set[ObjectId]]) -> Iterator[tuple[Kind, Manifest]]:
    """The first object of each kind; none where something unseen among what the Kustomization counts on may bring the definition."""
    custom: dict[Kind, Manifest] = {}
    for manifest in unit.node.manifests:
        group = manifest.group
        if not is_built_in(group) and not is_flux(group) and "${" not in group:
            custom.setdefault((group, manifest.kind), manifest)
    before = inventory.counted_on(unit.node) if custom else set()
    for kind, manifest in custom.items():
        if not before & defined.get(kind, set()) and (kind in defined or not _may_be_hidden(inventory, before)):
            yield kind, manifest


def _what(unit: KustomizationContext, manifest: Manifest) -> str:
    return f"{unit.node.kustomization.id} applies a resource of kind {manifest.kind} ({manifest.group})"


def _too_early(inventory: Inventory, unit: KustomizationContext, manifest: Manifest, definers: set[ObjectId]) -> Diagnostic:
    names = " or ".join(map(str, sorted(definers)))
    message = f"{_what(unit, manifest)}, whose definition comes from {names}, which it does not wait for"
    return unit.about(manifest, message, "kind", hint=_advice(inventory, unit.node.kustomization.id, definers))


def _charts(inventory: Inventory, group: str) -> set[ObjectId]:
    """Who renders a HelmRelease that is called like the group."""
    return {unit.node.kustomization.id for unit, release in inventory.of_kind(HELM_GROUP, HELM_RELEASE) if _fits(release, group)}


def _advice(inventory: Inventory, name: ObjectId, others: set[ObjectId]) -> str:
    """To depend on `others`; what they are rendered by cannot wait for them, so it has to give the resource away."""
    names = " or ".join(map(str, sorted(others)))
    if any(name in inventory.ancestors(other) for other in others):
        return f"move it into a Kustomization of its own that depends on {names}"
    return f"add {names} to dependsOn of {name}"


def _fits(release: Manifest, group: str) -> bool:
    """Whether a chart's release is called like the group: external-secrets like external-secrets.io."""
    domain = group.split(".")[0]
    return domain in release.name or release.name in group


_NOWHERE = "render its CustomResourceDefinition, or add what brings it to dependsOn"


def _may_be_hidden(inventory: Inventory, names: set[ObjectId]) -> bool:
    """Whether a definition may come from where nobody can look: a chart, another source, a remote base, a build that fails."""
    nodes = [inventory.graph.by_id[name] for name in names]
    return any(
        node.state is not NodeState.BUILT or node.remote or any(_hides(node, manifest) for manifest in node.manifests) for node in nodes
    )


def _hides(node: Node, manifest: Manifest) -> bool:
    return manifest.kind == "ResourceSet" or (is_helm_release(manifest) and not is_rendered(node, manifest))


RULES: Rules = {
    "graph/two-owners": Rule(
        two_owners,
        Severity.WARNING,
        "each of the two overwrites the other's version, and removing it from one deletes it for both",
        "render the object in one Kustomization, and let the other depend on that",
    ),
    "graph/definition-missing": Rule(
        definition_missing,
        Severity.WARNING,
        "the API server refuses a custom resource until its definition is there, and Flux tries again only after a while",
        "add the Kustomization that brings the definition to dependsOn",
    ),
}
