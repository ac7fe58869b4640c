"""What the object of a source says about the content of its artifact. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devloop.model.flux.names import GIT_REPOSITORY, SOURCE_GROUP, SOURCES
from devloop.model.kubernetes.manifest import Manifest, mapping_at, mappings_in


@dataclass(frozen=True)
class SourceSettings:
    """`ignore` is spec.ignore, `sparse` spec.sparseCheckout, `submodules` spec.recurseSubmodules.

    `included` are folders that spec.include fills, with what from.
    """

    ignore: str = ""
    sparse: tuple[str, ...] = ()
    submodules: bool = False
    included: Mapping[str, str] = field(default_factory=dict)


def is_source(manifest: Manifest) -> bool:
    """Whether Kustomizations can have the object as their source; not for artifacts that the cluster itself makes."""
    return manifest.kind in SOURCES and manifest.group == SOURCE_GROUP


def source_settings(manifest: Manifest) -> SourceSettings:
    """Those of a source object; fields of a wrong type count as absent, since other rules report them."""
    spec = manifest.mapping("spec")
    ignore = spec.get("ignore")
    if manifest.kind != GIT_REPOSITORY:
        return SourceSettings(ignore if isinstance(ignore, str) else "")
    sparse = spec.get("sparseCheckout")
    return SourceSettings(
        ignore if isinstance(ignore, str) else "",
        tuple(map(str, sparse)) if isinstance(sparse, list) else (),
        spec.get("recurseSubmodules") is True,
        dict(_included(spec)),
    )


def _included(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Folders and sources; the folder defaults to the name of the source, see GitRepositoryInclude in source-controller's API."""
    included = []
    for include in mappings_in(spec.get("include")):
        name = str(mapping_at(include, "repository").get("name"))
        included.append((str(include.get("toPath") or name), f"{GIT_REPOSITORY}/{name}"))
    return included
