"""Flux as devloop installs it: the names that it goes by."""

from __future__ import annotations

NAMESPACE = "flux-system"
# What every environment needs; helm-controller joins where there are HelmReleases.
CONTROLLERS = ("source-controller", "kustomize-controller")
MANAGED = {"app.kubernetes.io/managed-by": "devloop"}
