"""The pod templates of built-in kinds and their containers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.diagnostic import FieldStep
from devloop.model.kubernetes.manifest import Manifest, mapping_at

# API group and kind -> path of the pod template; a Pod is one itself.
_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    **{("apps", kind): ("spec", "template") for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")},
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}


@dataclass(frozen=True)
class PodContainer:
    """One container of a pod; `field` is its path in the object, `pointer` the same as a JSON pointer by index."""

    name: str
    body: Mapping[str, Any]
    field: tuple[FieldStep, ...]
    pointer: str
    is_init: bool

    @property
    def stays(self) -> bool:
        """Whether it runs as long as the pod: not an init container, or a sidecar."""
        return not self.is_init or self.body.get("restartPolicy") == "Always"

    def resource(self, side: str, name: str) -> Any:
        """`side` is requests or limits."""
        return mapping_at(self.body, "resources", side).get(name)


@dataclass(frozen=True)
class PodTemplate:
    """The pod that an object creates; `field` is the path of the template, () for a Pod."""

    manifest: Manifest
    body: Mapping[str, Any]
    field: tuple[str, ...]

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping_at(self.body, "metadata", "labels")

    @property
    def containers(self) -> Iterator[PodContainer]:
        """Init containers first, no ephemeral ones."""
        spec = mapping_at(self.body, "spec")
        for kind in ("initContainers", "containers"):
            listed = spec.get(kind)
            for index, body in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(body, dict):
                    yield self._container(kind, index, body)

    def _container(self, kind: str, index: int, body: Mapping[str, Any]) -> PodContainer:
        name = body.get("name")
        step: FieldStep = {"name": name} if isinstance(name, str) and name else index
        path = (*self.field, "spec", kind)
        pointer = "".join(f"/{key}" for key in (*path, index))
        return PodContainer(str(name or f"{kind}[{index}]"), body, (*path, step), pointer, kind != "containers")


def pod_template(manifest: Manifest, *, any_version: bool = False) -> PodTemplate | None:
    """The pod template of an object, None if its kind has none; only of versions that are still served, unless `any_version`."""
    field = _TEMPLATES.get((manifest.group, manifest.kind))
    is_served = any_version or manifest.api_version in ("v1", "apps/v1", "batch/v1")
    return None if field is None or not is_served else PodTemplate(manifest, mapping_at(manifest.body, *field), field)
