"""A rendered object and its source file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.kubernetes.api_groups import group_of
from devloop.model.kubernetes.objects import ObjectId


def mapping_at(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at these keys, or an empty one: objects may have any shape."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def mappings_in(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list, none if it is not a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def images_in(spec: Any) -> Iterator[str]:
    """The images of every container at any depth: Jobs, CronJobs and custom resources nest their pods differently."""
    if isinstance(spec, Mapping):
        for key, value in spec.items():
            if key in ("containers", "initContainers", "ephemeralContainers"):
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
    """One object as Flux would apply it. `body` has masks in place of values that SOPS encrypted, never decrypted ones.

    `secret` is 'opened' or 'sealed' if SOPS encrypted a part of it, 'sealed' if no key decrypts it. `unknown` are JSON pointers to values
    that depend on variables that are unknown or must not be shown; the body has `${NAME}` there. `release` is the HelmRelease
    (namespace/name) that renders it, then the origin is a file of the chart; '' for an object of the Kustomization itself.
    """

    body: Mapping[str, Any]
    origin: Origin = Origin()
    secret: str = ""
    unknown: tuple[str, ...] = ()
    release: str = ""

    def mapping(self, *path: str) -> Mapping[str, Any]:
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
        """Without a namespace, `default`."""
        return ObjectId(self.namespace or "default", self.name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
