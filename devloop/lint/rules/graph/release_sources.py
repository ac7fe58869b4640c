"""The sources of charts: spec.chart and spec.chartRef of HelmReleases, spec.sourceRef of HelmCharts."""

from collections.abc import Iterator
from difflib import get_close_matches

from devloop.diagnostic import Diagnostic, FieldStep, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import source_of
from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import HELM_CHART, HELM_GROUP, HELM_RELEASE, SOURCE_GROUP
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.given import known_sources
from devloop.model.lint.inventory import Inventory, fully_known
from devloop.model.lint.makers import Makers


def source_missing(context: LintContext) -> Iterator[Diagnostic]:
    """The source of a chart that nothing makes."""
    for inventory in fully_known(context):
        known, makers = known_sources(inventory), Makers(inventory)
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


RULES: Rules = {
    "graph/source-missing": Rule(
        source_missing,
        Severity.ERROR,
        "a chart without its source is never fetched, and its HelmRelease never installs",
        "render the source, or correct its kind, name or namespace",
    ),
}
