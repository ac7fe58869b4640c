"""Every object has one owner, and every custom resource a definition that is there before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from devloop.model.graph import NodeState
from devloop.model.inventory import HELM, Identity, Inventory, group_of, is_built_in, is_flux
from devloop.model.kustomization import ObjectId, is_kustomization
from devloop.model.manifest import Manifest
from devloop.model.place import Fault
from devloop.model.report import Severity
from devloop.model.subject import Subject, Unit
from devloop.rules.rule import Rule, Rules

_SSA = "kustomize.toolkit.fluxcd.io/ssa"
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def two_owners(subject: Subject) -> Iterator[Fault]:
    """Two Kustomizations of an environment apply one and the same object."""
    for inventory in subject.inventories:
        shared: dict[tuple[ObjectId, ...], list[tuple[Identity, Unit, Manifest]]] = {}
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


def _owns(unit: Unit, manifest: Manifest) -> bool:
    """Not who is suspended, and not who only adds to an object that another owns; Kustomizations have a rule of their own."""
    annotations = manifest.mapping("metadata", "annotations")
    shares = str(annotations.get(_SSA, "")).lower() in ("merge", "ifnotpresent", "ignore")
    return not (shares or unit.node.kustomization.suspended or is_kustomization(manifest.body))


def _listing(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - 3} more" if len(known) > 3 else ""
    return ", ".join(known[:3]) + more


def definition_missing(subject: Subject) -> Iterator[Fault]:
    """A custom resource is applied before, or without, its definition."""
    for inventory in subject.inventories:
        defined: dict[tuple[str, str], set[ObjectId]] = {}
        for unit, manifest in inventory.of_kind(*_CRD):
            kind = (str(manifest.mapping("spec").get("group")), str(manifest.mapping("spec", "names").get("kind")))
            defined.setdefault(kind, set()).add(unit.node.kustomization.id)
        for unit in inventory.inspected.units:
            yield from _undefined(inventory, unit, defined)


def _undefined(inventory: Inventory, unit: Unit, defined: dict[tuple[str, str], set[ObjectId]]) -> Iterator[Fault]:
    """One fault for each kind; none where a chart or something unseen among what the Kustomization counts on may bring the definition."""
    custom: dict[tuple[str, str], Manifest] = {}
    for manifest in unit.node.manifests:
        group = group_of(manifest.api_version)
        if not is_built_in(group) and not is_flux(group) and "${" not in group:
            custom.setdefault((group, manifest.kind), manifest)
    before = inventory.counted_on(unit.node) if custom else set()
    for kind, manifest in custom.items():
        if before & defined.get(kind, set()) or (kind not in defined and _may_be_hidden(inventory, before)):
            continue
        yield _undefined_fault(unit, manifest, kind, defined.get(kind, set()), inventory)


def _undefined_fault(unit: Unit, manifest: Manifest, kind: tuple[str, str], definers: set[ObjectId], inventory: Inventory) -> Fault:
    name = unit.node.kustomization.id
    what = f"{name} applies a resource of kind {kind[1]} ({kind[0]})"
    if definers:
        message = f"{what}, whose definition comes from {' or '.join(map(str, sorted(definers)))}, which it does not wait for"
        return unit.about(manifest, message, "kind", hint=_advice(inventory, name, definers))
    charts = {owner.node.kustomization.id for owner, release in inventory.of_kind(HELM, "HelmRelease") if _fits(release, kind[0])}
    message = f"{what}, and nothing that it waits for brings its definition"
    return unit.about(manifest, message, "kind", hint=_advice(inventory, name, charts))


def _advice(inventory: Inventory, name: ObjectId, others: set[ObjectId]) -> str:
    """To depend on `others`; what they are rendered by cannot wait for them, so it has to give the resource away."""
    names = " or ".join(map(str, sorted(others)))
    if any(name in inventory.ancestors(other) for other in others):
        return f"move it into a Kustomization of its own that depends on {names}"
    return f"add {names} to dependsOn of {name}" if others else _NOWHERE


def _fits(release: Manifest, group: str) -> bool:
    """Whether a chart's release is called like the group: external-secrets like external-secrets.io."""
    domain = group.split(".")[0]
    return domain in release.name or release.name in group


_NOWHERE = "render its CustomResourceDefinition, or add what brings it to dependsOn"


def _may_be_hidden(inventory: Inventory, names: set[ObjectId]) -> bool:
    """Whether a definition may come from where nobody can look: a chart, another source, a remote base, a build that fails."""
    nodes = [inventory.graph.by_id[name] for name in names]
    return any(
        node.state is not NodeState.BUILT
        or node.remote
        or any(manifest.kind in ("HelmRelease", "ResourceSet") for manifest in node.manifests)
        for node in nodes
    )


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
