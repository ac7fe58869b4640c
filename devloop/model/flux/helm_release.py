"""A HelmRelease, and whether its chart is here to be rendered. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.kustomization import ObjectId, SourceRef
from devloop.model.kubernetes.manifest import Manifest

API_GROUP = "helm.toolkit.fluxcd.io"
KIND = "HelmRelease"


@dataclass(frozen=True)
class HelmRelease:
    """`source` is where its chart comes from; `chart` is the path in it, or the name where that is a repository of charts."""

    id: ObjectId
    source: SourceRef
    chart: str


def parse_release(manifest: Manifest) -> HelmRelease | None:
    """The HelmRelease in a rendered object, None for any other and for one that names no chart in a way that can be read."""
    if manifest.kind != KIND or not manifest.api_version.startswith(API_GROUP + "/"):
        return None
    name = ObjectId(manifest.namespace or "default", manifest.name)
    spec = _mapping(manifest.body.get("spec"))
    if reference := _mapping(spec.get("chartRef")):
        return HelmRelease(name, _source(reference, name.namespace), "")
    chart = _mapping(_mapping(spec.get("chart")).get("spec"))
    return HelmRelease(name, _source(_mapping(chart.get("sourceRef")), name.namespace), str(chart.get("chart", "")))


def _source(reference: Mapping[str, Any], namespace: str) -> SourceRef:
    return SourceRef(str(reference.get("kind", "")), str(reference.get("namespace") or namespace), str(reference.get("name", "")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
