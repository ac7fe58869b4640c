"""HelmReleases and the sources of their charts. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import HELM_GROUP, HELM_RELEASE
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


def parse_release(manifest: Manifest) -> HelmRelease | None:
    """None for any other object."""
    if not is_helm_release(manifest):
        return None
    name = manifest.id
    if reference := manifest.mapping("spec", "chartRef"):
        return HelmRelease(name, _source(reference, name.namespace), "")
    chart = manifest.mapping("spec", "chart", "spec")
    return HelmRelease(name, _source(mapping_at(chart, "sourceRef"), name.namespace), str(chart.get("chart", "")))


def _source(reference: Mapping[str, Any], namespace: str) -> SourceRef:
    return SourceRef(str(reference.get("kind", "")), str(reference.get("namespace") or namespace), str(reference.get("name", "")))
