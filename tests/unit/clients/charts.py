"""A chart and a HelmRelease for the tests of the build worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

TEMPLATE = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  colour: {{ .Values.colour | quote }}
  namespace: {{ .Release.Namespace }}
  version: {{ .Capabilities.KubeVersion.Version }}
"""


SUB = TEMPLATE.replace("settings", "sub")
CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n", "chart/values.yaml": "colour: red\n"}
Render = Callable[..., dict[str, Any]]


def release(**spec: Any) -> dict[str, Any]:
    source = {"kind": "GitRepository", "name": "flux-system"}
    chart = {"spec": {"chart": "./chart", "sourceRef": source, **spec.pop("chart", {})}}
    metadata = {"name": "web", "namespace": "apps"}
    return {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata, "spec": {"chart": chart, **spec}}


def data(result: Mapping[str, Any]) -> dict[str, Any]:
    assert "failure" not in result, result["failure"]
    found: dict[str, Any] = result["objects"][0]["body"]["data"]
    return found


def settings(kind: str = "ConfigMap", field: str = "data", **values: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "values", "namespace": "apps"}, field: values}
