"""What the tests of the build worker build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: default\ndata:\n  colour: blue\n"
Build = Callable[..., dict[str, Any]]
Start = Callable[..., Build]


def kustomization(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "flux-system", "name": name}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": metadata,
        "spec": {"path": "./apps"} | spec,
    }


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def bodies(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    assert "failure" not in result, result["failure"]
    return [built["body"] for built in result["objects"]]
