"""What rules still say of an environment of which a part is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.lint.run import validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment

KUSTOMIZATION = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 10m
  prune: true
  path: ./{name}
  sourceRef: {{kind: GitRepository, name: flux-system}}
"""
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: default}
spec:
  interval: 10m
  kubeConfig: {secretRef: {name: spoke}}
  install: {createNamespace: true}
  targetNamespace: shop
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: default}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web%s}\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {"apps/web.yaml": CONFIG_MAP % "", "more/kustomization.yaml": "resources: [nowhere.yaml]\n"},
            ["build/failed", "graph/namespace-missing ConfigMap/web has no namespace, and Flux sets none"],
        ),
        (
            {"apps/web.yaml": CONFIG_MAP % ", namespace: shop", "more/kustomization.yaml": "resources: [nowhere.yaml]\n"},
            ["build/failed"],
        ),
        (
            {
                "apps/release.yaml": RELEASE,
                "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
                "chart/templates/web.yaml": CONFIG_MAP % ", namespace: default",
                "more/none.yaml": CONFIG_MAP % ", namespace: kube-public",
            },
            ["graph/namespace-missing nothing creates the namespace shop"],
        ),
    ],
    ids=["no namespace although another build fails", "a failed build may create a namespace", "a chart for another cluster"],
)
def test_namespaces(files: dict[str, str], found: list[str], tmp_path: Path, worker_program: Path) -> None:
    entries = {f"cluster/{name}.yaml": KUSTOMIZATION.format(name=name) for name in ("apps", "more")}
    for path, text in {**entries, **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
    with Worker(worker_program, tmp_path) as worker:
        report = validate(LintScope(tmp_path, (Environment("local", tmp_path, definition),)), worker)
    lines = [f"{each.rule} {each.message}" for each in report.findings if each.rule.startswith(("graph/", "build/"))]
    assert [line.split()[0] if line.startswith("build/") else line for line in sorted(lines)] == found
