"""Where a workload describes its pods, and the containers in them. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import FieldStep
from devloop.model.kubernetes.manifest import Manifest

_TEMPLATE = ("spec", "template", "spec")
# By kind and API group.
_PODS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Deployment", "apps"): _TEMPLATE,
    ("StatefulSet", "apps"): _TEMPLATE,
    ("DaemonSet", "apps"): _TEMPLATE,
    ("ReplicaSet", "apps"): _TEMPLATE,
    ("Job", "batch"): _TEMPLATE,
    ("CronJob", "batch"): ("spec", "jobTemplate", *_TEMPLATE),
    ("Pod", ""): ("spec",),
}


def pod_path(manifest: Manifest) -> tuple[str, ...]:
    """The fields that lead to the pod's spec; () for what makes no pods."""
    return _PODS.get((manifest.kind, manifest.group), ())


def pod_spec(manifest: Manifest) -> Mapping[str, Any]:
    """The pod's spec, empty where there is none."""
    path = pod_path(manifest)
    return manifest.mapping(*path) if path else {}


def containers(manifest: Manifest) -> Iterator[tuple[tuple[FieldStep, ...], Mapping[str, Any]]]:
    """Every container of a workload, those that run first too, with the fields that lead to it."""
    spec = pod_spec(manifest)
    for section in ("initContainers", "containers"):
        items = spec.get(section)
        for index, container in enumerate(items if isinstance(items, list) else ()):
            if isinstance(container, Mapping):
                yield (*pod_path(manifest), section, {"name": str(container["name"])} if container.get("name") else index), container
