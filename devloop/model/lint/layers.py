"""The layers of a repository: bases, distributions on them, clusters on those; told by the names of folders. No I/O.

A layout is a folder that holds one of clusters beside one of bases or of distributions, as k8s/{bases,distributions,clusters}. Where
there is none, nothing is in a layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class LayerKind(StrEnum):
    BASE = "base"
    DISTRIBUTION = "distribution"
    CLUSTER = "cluster"


_NAMES = {
    LayerKind.BASE: ("base", "bases", "common", "shared", "component", "components"),
    LayerKind.DISTRIBUTION: ("distribution", "distributions", "provider", "providers", "platform", "platforms"),
    LayerKind.CLUSTER: ("cluster", "clusters", "environment", "environments", "env", "envs"),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}


@dataclass(frozen=True, order=True)
class Layer:
    """`name` tells clusters and distributions apart, bases are one; `folder` is where it lies."""

    kind: LayerKind
    name: str
    folder: str

    def is_other(self, layer: Layer) -> bool:
        """Whether the two are of one kind and not the same; prod-eu is a variant of prod, not another cluster."""
        own, other = f"{self.name}-", f"{layer.name}-"
        return self.kind is layer.kind and not (own.startswith(other) or other.startswith(own))

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}" if self.name else f"a {self.kind}"


@dataclass(frozen=True)
class RepositoryLayout:
    """The folders, relative to the repository root, that hold layers."""

    roots: frozenset[str] = frozenset()

    def layer_of(self, path: str) -> Layer | None:
        """The layer that a file or a folder belongs to."""
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            kind = _KINDS.get(part)
            if kind and "/".join(parts[:i]) in self.roots:
                return _layer(kind, parts[i + 1], "/".join(parts[: i + 2]))
        return None


def _layer(kind: LayerKind, name: str, folder: str) -> Layer:
    """What all clusters share is a base, also among the clusters."""
    return Layer(LayerKind.BASE, "", folder) if kind is LayerKind.BASE or _KINDS.get(name) is LayerKind.BASE else Layer(kind, name, folder)


def find_layout(paths: Iterable[str]) -> RepositoryLayout:
    """The layouts that the paths of all files make."""
    found: dict[str, set[LayerKind]] = {}
    for path in paths:
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            if part in _KINDS:
                found.setdefault("/".join(parts[:i]), set()).add(_KINDS[part])
    return RepositoryLayout(frozenset(root for root, kinds in found.items() if LayerKind.CLUSTER in kinds and len(kinds) > 1))
