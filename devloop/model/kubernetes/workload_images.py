"""What the workloads of an environment need. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.model.flux.graph import Graph

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def workload_images(graph: Graph) -> tuple[str, ...]:
    """Every image that a rendered object names for a container, sorted, once."""
    return tuple(sorted({image for node in graph for manifest in node.manifests for image in _images(manifest.body.get("spec"))}))


def _images(spec: Any) -> Iterator[str]:
    """Wherever a pod's spec lies in it: Deployments, Jobs, CronJobs and the custom resources that hold pods have it at different depths."""
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if key in _CONTAINERS and isinstance(value, list):
                yield from (item["image"] for item in value if isinstance(item, Mapping) and isinstance(item.get("image"), str))
            yield from _images(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from _images(item)
