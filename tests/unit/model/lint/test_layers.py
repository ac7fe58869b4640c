"""Layers by folder names."""

from __future__ import annotations

import pytest

from devloop.model.lint.layers import LayerKind, find_layout

PATHS = (
    "k8s/bases/apps/a.yaml",
    "k8s/distributions/kind/a.yaml",
    "k8s/clusters/dev/apps/a.yaml",
    "k8s/clusters/base/a.yaml",
    "docs/clusters/a.md",
)


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("k8s/bases/apps/web/a.yaml", LayerKind.BASE, ""),
        ("k8s/distributions/kind", LayerKind.DISTRIBUTION, "kind"),
        ("k8s/clusters/dev/apps/a.yaml", LayerKind.CLUSTER, "dev"),
        ("k8s/clusters/base/a.yaml", LayerKind.BASE, ""),
    ],
)
def test_a_path_is_in_a_layer(path: str, kind: LayerKind, name: str) -> None:
    layer = find_layout(PATHS).layer_of(path)
    assert layer and (layer.kind, layer.name) == (kind, name)


@pytest.mark.parametrize("path", ["k8s/clusters", "docs/clusters/a.md", "clusters/dev/ksail.yaml", "k8s/apps/base/a.yaml"])
def test_a_path_is_in_none(path: str) -> None:
    assert find_layout(PATHS).layer_of(path) is None


def test_clusters_alone_make_no_layout() -> None:
    assert not find_layout(["clusters/dev/a.yaml", "apps/base/a.yaml", "infrastructure/a.yaml"]).roots


def test_a_variant_of_a_cluster_is_not_another_cluster() -> None:
    layout = find_layout([*PATHS, "k8s/clusters/dev-eu/a.yaml", "k8s/clusters/prod/a.yaml"])
    dev, variant, prod = (layout.layer_of(f"k8s/clusters/{name}") for name in ("dev", "dev-eu", "prod"))
    assert dev and variant and prod
    assert not variant.is_other(dev) and not dev.is_other(variant) and prod.is_other(dev)
