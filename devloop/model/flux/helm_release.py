"""HelmReleases and the sources of their charts. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import HELM_CHART, HELM_GROUP, HELM_RELEASE, SOURCE_GROUP
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.objects import ObjectId


@dataclass(frozen=True)
class HelmRelease:
    """`chart` is its path in `source`, or its name if that is a Helm repository."""

    id: ObjectId
    source: SourceRef
    chart: str


def is_helm_release(manifest: Manifest) -> bool:
    return manifest.kind == HELM_RELEASE and manifest.group == HELM_GROUP


def is_helm_chart(manifest: Manifest) -> bool:
    return manifest.kind == HELM_CHART and manifest.group == SOURCE_GROUP


def parse_release(manifest: Manifest, charts: Mapping[ObjectId, Manifest]) -> HelmRelease | None:
    """None for any other object; `charts` are the HelmCharts that a release may refer to."""
    if not is_helm_release(manifest):
        return None
    name = manifest.id
    if not (reference := manifest.mapping("spec", "chartRef")):
        return _of_template(name, manifest.mapping("spec", "chart", "spec"), name.namespace)
    source = source_of(reference, name.namespace)
    if source.kind == HELM_CHART and (chart := charts.get(ObjectId(source.namespace, source.name))):
        return _of_template(name, chart.mapping("spec"), source.namespace)
    return HelmRelease(name, source, "")


def _of_template(name: ObjectId, spec: Mapping[str, Any], namespace: str) -> HelmRelease:
    return HelmRelease(name, source_of(mapping_at(spec, "sourceRef"), namespace), str(spec.get("chart", "")))


def source_of(reference: Mapping[str, Any], namespace: str) -> SourceRef:
    return SourceRef(str(reference.get("kind", "")), str(reference.get("namespace") or namespace), str(reference.get("name", "")))
