"""A rendered object and the file it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.kubernetes.api_groups import group_of
from devloop.model.kubernetes.objects import ObjectId


def mapping_at(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping that these keys lead to; an empty one where there is none, or something else: objects may be of any shape."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def mappings_in(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; none where it is something else."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def images_in(spec: Any) -> Iterator[str]:
    """The images of every container, wherever a pod lies in `spec`: Jobs, CronJobs and custom resources have it at different depths."""
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if key in _CONTAINERS:
                yield from (item["image"] for item in mappings_in(value) if isinstance(item.get("image"), str))
            yield from images_in(value)
    elif isinstance(spec, list):
        for item in spec:
            yield from images_in(item)


@dataclass(frozen=True)
class Origin:
    """`path` relative to the repository root ('' unknown), `line` from 1 (0 unknown)."""

    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Manifest:
    """One object as Flux would apply it. `body` holds masked values for what SOPS encrypted, never decrypted ones.

    `secret` is 'opened' or 'sealed' where SOPS encrypted (a part of) it, the latter when no key opens it. `unknown` are JSON pointers to
    values that hang on variables which cannot be known or must not be shown; there the body says `${NAME}`. `release` is the HelmRelease
    (namespace/name) that renders it, then the origin is a file of the chart; '' for what Flux applies by itself.
    """

    body: Mapping[str, Any]
    origin: Origin = Origin()
    secret: str = ""
    unknown: tuple[str, ...] = ()
    release: str = ""

    def mapping(self, *path: str) -> Mapping[str, Any]:
        """The mapping at these keys; an empty one where there is none, or something else."""
        return mapping_at(self.body, *path)

    @property
    def api_version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def group(self) -> str:
        return group_of(self.api_version)

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def name(self) -> str:
        return str(self.mapping("metadata").get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.mapping("metadata").get("namespace", ""))

    @property
    def id(self) -> ObjectId:
        """Where the object ends up: what names no namespace goes to default."""
        return ObjectId(self.namespace or "default", self.name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
