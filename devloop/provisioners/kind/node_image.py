"""The image of nodes for the Kubernetes version that a definition asks for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition

PUBLISHED = "kindest/node"


@dataclass(frozen=True)
class NodeImage:
    """`reference` as Kind takes it; `note` says that the version is another one than the definition's."""

    reference: str
    note: str = ""


def node_image(definition: ClusterDefinition, own: Mapping[str, str], published: Mapping[str, str], default: str) -> NodeImage:
    """The default image of nodes: of the definition's version, else of the nearest patch of the same minor version.

    `own` and `published` map versions to references, an own image is preferred; `default` is the version for a definition without one.
    Raises InputError if there is no image of the minor version; not if every node of the definition names its image.
    """
    if definition.nodes and all(node.image for node in definition.nodes):
        return NodeImage("")
    images = {**published, **own}
    wanted = definition.kubernetes_version.removeprefix("v") or default
    near = [version for version in images if _parts(version)[:2] == _parts(wanted)[:2]]
    if not near:
        known = ", ".join(f"v{version}" for version in _newest_first(images))
        hint = f"set one of these versions: {known}; or set the image of the nodes in kind.yaml"
        raise InputError(f"{definition.path}: there is no node image for Kubernetes v{wanted}", hint=hint)
    chosen = min(near, key=lambda version: (_distance(version, wanted), [-part for part in _parts(version)]))
    is_exact = chosen == wanted or len(_parts(wanted)) < len(_parts(chosen))
    note = "" if is_exact else f"there is no node image for Kubernetes v{wanted}, using v{chosen}, the nearest one"
    return NodeImage(images[chosen], note)


def _distance(version: str, wanted: str) -> int:
    """Between the patch versions; 0 if `wanted` has none."""
    parts = _parts(wanted)
    return abs(_parts(version)[2] - parts[2]) if len(parts) > 2 else 0


def _newest_first(versions: Iterable[str]) -> list[str]:
    return sorted(versions, key=_parts, reverse=True)


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.partition("-")[0].split(".") if part.isdigit()]
