"""Pods as built-in kinds describe them, and the containers in them. What other kinds make of their fields is not guessed at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.diagnostic import FieldStep
from devloop.model.kubernetes.manifest import Manifest, mapping_at

# Where a kind, by API group, holds its pod template; a Pod is one itself.
_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
_LISTS = ("initContainers", "containers")


@dataclass(frozen=True)
class PodContainer:
    """One container of a pod; `field` leads to it from the object's top, `pointer` is the same as a JSON pointer by index."""

    name: str
    body: Mapping[str, Any]
    field: tuple[FieldStep, ...]
    pointer: str
    is_init: bool

    @property
    def stays(self) -> bool:
        """It runs as long as the pod does: all but the init containers that come to an end."""
        return not self.is_init or self.body.get("restartPolicy") == "Always"

    def resource(self, side: str, name: str) -> Any:
        """What it says of one resource; `side` is requests or limits."""
        return mapping_at(self.body, "resources", side).get(name)


@dataclass(frozen=True)
class PodTemplate:
    """The pod that an object makes; `field` leads to the template, () for a Pod."""

    manifest: Manifest
    body: Mapping[str, Any]
    field: tuple[str, ...]

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping_at(self.body, "metadata", "labels")

    @property
    def containers(self) -> Iterator[PodContainer]:
        """Init containers first; ephemeral ones are for people at work."""
        spec = mapping_at(self.body, "spec")
        for kind in _LISTS:
            listed = spec.get(kind)
            for index, body in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(body, dict):
                    yield self._container(kind, index, body)

    def _container(self, kind: str, index: int, body: Mapping[str, Any]) -> PodContainer:
        name = body.get("name")
        step: FieldStep = {"name": name} if isinstance(name, str) and name else index
        path = (*self.field, "spec", kind)
        return PodContainer(
            str(name or f"{kind}[{index}]"), body, (*path, step), "".join(f"/{key}" for key in (*path, index)), kind != "containers"
        )


def pod_template(manifest: Manifest) -> PodTemplate | None:
    """The pod that the object describes, None where it is no kind that does."""
    field = _TEMPLATES.get((manifest.group, manifest.kind))
    return None if field is None else PodTemplate(manifest, mapping_at(manifest.body, *field), field)
