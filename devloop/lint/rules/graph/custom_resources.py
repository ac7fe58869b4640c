"""The CustomResourceDefinitions of custom resources are applied before them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Node, NodeState
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, inventories, is_rendered

# Group and kind.
Kind = tuple[str, str]
_HIDDEN = 1
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_APPLIES = "{kustomization} applies a resource of kind {kind} ({group}), "
_NOTHING = "but none of its dependencies provides the definition"


def definition_missing(context: LintContext) -> Iterator[Diagnostic]:
    """A custom resource is applied before or without its definition. Once per kind, unless a chart seems to provide the definition."""
    for inventory in inventories(context):
        defined = _defined(inventory)
        provided, bits = _provided(inventory, defined)
        charts = _charts(inventory)
        unsolved: dict[Kind, list[tuple[KustomizationContext, Manifest]]] = {}
        for kustomization, manifests in inventory.applied.values():
            for kind, manifest in _undefined(manifests, provided[kustomization.id], bits):
                if definers := defined.get(kind):
                    message = "but does not wait for {definers}, which provides the definition"
                    hint = _advice(inventory, kustomization.id, definers)
                    yield _diagnostic(kustomization, manifest, message, hint, definers=_any_of(definers))
                elif brought := _brought_by(charts, kind[0]):
                    yield _diagnostic(kustomization, manifest, _NOTHING, _advice(inventory, kustomization.id, brought))
                elif not inventory.generated.anything:
                    unsolved.setdefault(kind, []).append((kustomization, manifest))
        for (kustomization, manifest), *others in unsolved.values():
            message = _NOTHING + ("; {count} more apply such resources" if others else "")
            hint = "render its CustomResourceDefinition, or add the Kustomization that provides it to dependsOn"
            yield _diagnostic(kustomization, manifest, message, hint, count=len(others))


def _diagnostic(kustomization: KustomizationContext, manifest: Manifest, template: str, hint: str, **arguments: Any) -> Diagnostic:
    kind, group = manifest.kind, manifest.group
    return kustomization.about(manifest, _APPLIES + template, "kind", hint=hint, kind=kind, group=group, **arguments)


def _any_of(kustomizations: set[ObjectId]) -> str:
    return " or ".join(map(str, sorted(kustomizations)))


def _defined(inventory: Inventory) -> Mapping[Kind, set[ObjectId]]:
    """The Kustomizations that render the definition of each kind."""
    found: dict[Kind, set[ObjectId]] = {}
    for kustomization, manifest in inventory.of_kind(*_CRD):
        kind = (str(manifest.mapping("spec").get("group")), str(manifest.mapping("spec", "names").get("kind")))
        found.setdefault(kind, set()).add(kustomization.id)
    return found


def _provided(inventory: Inventory, defined: Mapping[Kind, set[ObjectId]]) -> tuple[Mapping[ObjectId, int], Mapping[Kind, int]]:
    """For each Kustomization the bits of what is there before it, and the bit of each kind; `_HIDDEN` stands for unknown definitions."""
    bits = {kind: 2 << number for number, kind in enumerate(defined)}
    own = {node.kustomization.id: _HIDDEN if _hides_definitions(node) else 0 for node in inventory.graph}
    for kind, names in defined.items():
        for name in names:
            own[name] |= bits[kind]
    return inventory.counted_on(own), bits


def _undefined(manifests: Iterable[Manifest], provided: int, bits: Mapping[Kind, int]) -> Iterator[tuple[Kind, Manifest]]:
    """The first object of each kind; none if a hidden part of what the Kustomization waits for may provide the definition."""
    custom: dict[Kind, Manifest] = {}
    for manifest in manifests:
        group = manifest.group
        if not is_built_in(group) and not is_flux(group) and "${" not in group:
            custom.setdefault((group, manifest.kind), manifest)
    yield from ((kind, manifest) for kind, manifest in custom.items() if not provided & bits.get(kind, _HIDDEN))


def _charts(inventory: Inventory) -> Mapping[str, set[ObjectId]]:
    """The names of HelmReleases, and the Kustomizations with one of that name."""
    found: dict[str, set[ObjectId]] = {}
    for each, release in inventory.releases:
        found.setdefault(release.name, set()).add(each.id)
    return found


def _brought_by(charts: Mapping[str, set[ObjectId]], group: str) -> set[ObjectId]:
    """The Kustomizations with a HelmRelease named like the group: external-secrets for external-secrets.io."""
    return {each for name, found in charts.items() if group.split(".")[0] in name or name in group for each in found}


def _advice(inventory: Inventory, kustomization: ObjectId, others: set[ObjectId]) -> str:
    """To depend on `others`; their ancestors cannot wait for them, so these have to move the resource instead."""
    if any(kustomization in inventory.ancestors(other) for other in others):
        return f"move it into its own Kustomization that depends on {_any_of(others)}"
    return f"add {_any_of(others)} to dependsOn of {kustomization}"


def _hides_definitions(node: Node) -> bool:
    """Whether it may bring definitions that are unknown: from a chart, another source, a remote base, a failed build."""
    return node.state is not NodeState.BUILT or bool(node.remote) or any(_hides(node, manifest) for manifest in node.manifests)


def _hides(node: Node, manifest: Manifest) -> bool:
    return manifest.kind == "ResourceSet" or (is_helm_release(manifest) and not is_rendered(node, manifest))


RULES: Rules = {
    "graph/definition-missing": Rule(
        definition_missing,
        Severity.WARNING,
        "the API server rejects custom resources until their definition exists, and Flux retries only after a while",
        "add the Kustomization that provides the definition to dependsOn",
    ),
}
