"""The layers of a repository (bases, distributions, clusters), recognised by folder names. No I/O.

A layout is a folder with one for clusters and one for bases or distributions, like k8s/{bases,distributions,clusters}.
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
    """`name` is '' for bases, which are one layer."""

    kind: LayerKind
    name: str
    folder: str

    def is_other(self, layer: Layer) -> bool:
        """Whether both have the same kind but are different; prod-eu is a variant of prod, not another cluster."""
        own, other = f"{self.name}-", f"{layer.name}-"
        return self.kind is layer.kind and not (own.startswith(other) or other.startswith(own))

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}" if self.name else f"a {self.kind}"


@dataclass(frozen=True)
class RepositoryLayout:
    """`roots` are the folders, relative to the repository root, that hold layers."""

    roots: frozenset[str] = frozenset()

    def layer_of(self, path: str) -> Layer | None:
        """The layer of a file or folder."""
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            kind = _KINDS.get(part)
            if kind and "/".join(parts[:i]) in self.roots:
                return _layer(kind, parts[i + 1], "/".join(parts[: i + 2]))
        return None


def _layer(kind: LayerKind, name: str, folder: str) -> Layer:
    """Shared folders are bases, also below clusters."""
    return Layer(LayerKind.BASE, "", folder) if kind is LayerKind.BASE or _KINDS.get(name) is LayerKind.BASE else Layer(kind, name, folder)


def find_layout(paths: Iterable[str]) -> RepositoryLayout:
    """The layouts in the paths of all files."""
    found: dict[str, set[LayerKind]] = {}
    for path in paths:
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            if part in _KINDS:
                found.setdefault("/".join(parts[:i]), set()).add(_KINDS[part])
    return RepositoryLayout(frozenset(root for root, kinds in found.items() if LayerKind.CLUSTER in kinds and len(kinds) > 1))
