"""The sources of charts: spec.chart and spec.chartRef of HelmReleases, spec.sourceRef of HelmCharts."""

from collections.abc import Iterator
from difflib import get_close_matches

from devloop.diagnostic import Diagnostic, FieldStep, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.artifact_generator import artifacts
from devloop.model.flux.helm_release import source_of
from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import EXTENSIONS_GROUP, HELM_CHART, HELM_GROUP, HELM_RELEASE, ROOT, SOURCE_GROUP
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import Inventory, fully_known
from devloop.model.lint.makers import Makers


def source_missing(context: LintContext) -> Iterator[Diagnostic]:
    """The source of a chart that nothing makes."""
    for inventory in fully_known(context):
        known, makers = _known(inventory), Makers(inventory)
        for kustomization, manifest, field, source in _wanted(inventory):
            if source not in known and not makers.may_name(source.kind, source.namespace, source.name):
                yield _missing(inventory, kustomization, manifest, field, source, known)


def _missing(
    inventory: Inventory,
    kustomization: KustomizationContext,
    manifest: Manifest,
    field: tuple[FieldStep, ...],
    source: SourceRef,
    known: set[SourceRef],
) -> Diagnostic:
    alike = [f"{each.kind} {each.namespace}/{each.name}" for each in known if each.kind == source.kind or each.name == source.name]
    near = get_close_matches(f"{source.kind} {source.namespace}/{source.name}", alike, n=1, cutoff=0.7)
    return kustomization.about(
        manifest,
        "the {kind} {manifest} takes its chart from the {source}, which nothing creates{place}",
        *field,
        hint=f"did you mean {near[0]}?" if near else "render the source, or correct its kind, name or namespace",
        severity=inventory.severity,
        kind=manifest.kind,
        manifest=manifest.id,
        source=f"{source.kind} {source.namespace}/{source.name}",
        place=inventory.place,
    )


def _wanted(inventory: Inventory) -> Iterator[tuple[KustomizationContext, Manifest, tuple[FieldStep, ...], SourceRef]]:
    """Who wants which source, and in which field."""
    for kustomization, release in inventory.of_kind(HELM_GROUP, HELM_RELEASE):
        field = ("spec", "chartRef") if release.mapping("spec", "chartRef") else ("spec", "chart", "spec", "sourceRef")
        yield from _named(kustomization, release, field)
    for kustomization, chart in inventory.of_kind(SOURCE_GROUP, HELM_CHART):
        yield from _named(kustomization, chart, ("spec", "sourceRef"))


def _named(
    kustomization: KustomizationContext, manifest: Manifest, field: tuple[str, ...]
) -> Iterator[tuple[KustomizationContext, Manifest, tuple[FieldStep, ...], SourceRef]]:
    reference = mapping_at(manifest.body, *field)
    if reference.get("name") and manifest.mapping("spec").get("suspend") is not True:
        yield kustomization, manifest, (*field, "name"), source_of(reference, manifest.id.namespace)


def _known(inventory: Inventory) -> set[SourceRef]:
    """The rendered ones, the repository itself, and what Flux's controllers make: artifacts, and a HelmChart for each HelmRelease."""
    found = set(inventory.graph.own_sources)
    found |= {SourceRef(kind, ROOT.namespace, ROOT.name) for kind in ("GitRepository", "OCIRepository", "Bucket")}
    for key, objects in inventory.objects.items():
        namespace = ObjectId(key.namespace or "default", key.name).namespace
        if key.group == SOURCE_GROUP:
            found.add(SourceRef(key.kind, namespace, key.name))
        elif key.group == EXTENSIONS_GROUP:
            found.update(artifact.ref for _, manifest in objects for artifact in artifacts(manifest))
        elif (key.group, key.kind) == (HELM_GROUP, HELM_RELEASE):
            found.update(_chart_of(manifest) for _, manifest in objects)
    return found


def _chart_of(release: Manifest) -> SourceRef:
    source = source_of(release.mapping("spec", "chart", "spec", "sourceRef"), release.id.namespace)
    return SourceRef(HELM_CHART, source.namespace, f"{release.id.namespace}-{release.name}")


RULES: Rules = {
    "graph/source-missing": Rule(
        source_missing,
        Severity.ERROR,
        "a chart without its source is never fetched, and its HelmRelease never installs",
        "render the source, or correct its kind, name or namespace",
    ),
}
