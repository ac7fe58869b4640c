"""What an ArtifactGenerator makes of other sources: ExternalArtifacts, by copying files. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.kustomization import SourceRef
from devloop.model.manifest import Manifest

API_GROUP = "source.extensions.fluxcd.io"
GENERATOR = "ArtifactGenerator"
ARTIFACT = "ExternalArtifact"


@dataclass(frozen=True)
class Artifact:
    """One ExternalArtifact. `sources` are what aliases stand for, `copies` the CopyOperations as written, `origin` the generator's file."""

    ref: SourceRef
    sources: Mapping[str, SourceRef]
    copies: tuple[Mapping[str, Any], ...]
    origin: str

    @property
    def used(self) -> Mapping[str, SourceRef]:
        """The sources that something is copied from; an alias that is not declared is for whoever makes the artifact to complain about."""
        aliases = {str(copy.get("from", "")).removeprefix("@").split("/")[0] for copy in self.copies}
        return {alias: ref for alias, ref in self.sources.items() if alias in aliases}

    def wanted(self, alias: str) -> tuple[str, ...]:
        """The folders and files that are copied from a source, up to the first wildcard."""
        prefix = f"@{alias}/"
        patterns = [str(copy["from"]).removeprefix(prefix) for copy in self.copies if str(copy.get("from", "")).startswith(prefix)]
        return tuple(_literal(pattern) for pattern in patterns)


def artifacts(manifest: Manifest) -> Iterator[Artifact]:
    """The artifacts of a generator, none of any other object or where it makes no sense: the API server would refuse that."""
    if manifest.kind != GENERATOR or not manifest.api_version.startswith(API_GROUP + "/"):
        return
    namespace = manifest.namespace or "default"
    spec = manifest.body.get("spec") or {}
    sources = {
        str(source.get("alias")): SourceRef(str(source.get("kind")), source.get("namespace") or namespace, str(source.get("name")))
        for source in _mappings(spec.get("sources"))
    }
    for artifact in _mappings(spec.get("artifacts")):
        ref = SourceRef(ARTIFACT, namespace, str(artifact.get("name")))
        yield Artifact(ref, sources, tuple(_mappings(artifact.get("copy"))), manifest.origin.path)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _literal(pattern: str) -> str:
    parts = pattern.split("/")
    wild = next((number for number, part in enumerate(parts) if set(part) & set("*?[]")), len(parts))
    return "/".join(parts[:wild])
