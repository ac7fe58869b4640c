"""ArtifactGenerators, which copy files of other sources to ExternalArtifacts. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import EXTENSIONS_GROUP
from devloop.model.kubernetes.manifest import Manifest, mappings_in

ARTIFACT = "ExternalArtifact"


@dataclass(frozen=True)
class Artifact:
    """One ExternalArtifact. `sources` by alias, `copies` are the CopyOperations as written, `origin` is the generator's file."""

    ref: SourceRef
    sources: Mapping[str, SourceRef]
    copies: tuple[Mapping[str, Any], ...]
    origin: str

    @property
    def used(self) -> Mapping[str, SourceRef]:
        """The sources that something is copied from; undeclared aliases are reported when the artifact is built."""
        aliases = {str(copy.get("from", "")).removeprefix("@").split("/")[0] for copy in self.copies}
        return {alias: ref for alias, ref in self.sources.items() if alias in aliases}

    def wanted(self, alias: str) -> tuple[str, ...]:
        """The folders and files that are copied from a source, up to the first wildcard."""
        prefix = f"@{alias}/"
        patterns = [str(copy["from"]).removeprefix(prefix) for copy in self.copies if str(copy.get("from", "")).startswith(prefix)]
        return tuple(_literal(pattern) for pattern in patterns)


def artifacts(manifest: Manifest) -> Iterator[Artifact]:
    """The valid artifacts of a generator, none for any other object."""
    if (manifest.group, manifest.kind) != (EXTENSIONS_GROUP, "ArtifactGenerator"):
        return
    namespace = manifest.id.namespace
    spec = manifest.mapping("spec")
    sources = {
        str(source.get("alias")): SourceRef(str(source.get("kind")), str(source.get("namespace") or namespace), str(source.get("name")))
        for source in mappings_in(spec.get("sources"))
    }
    for artifact in mappings_in(spec.get("artifacts")):
        ref, copies = SourceRef(ARTIFACT, namespace, str(artifact.get("name"))), mappings_in(artifact.get("copy"))
        if all(map(_is_copy_operation, copies)):
            yield Artifact(ref, sources, tuple(copies), manifest.origin.path)


def _is_copy_operation(copy: Mapping[str, Any]) -> bool:
    types = {"from": str, "to": str, "strategy": str, "optional": bool, "exclude": list}
    excluded = copy.get("exclude") or ()
    return all(isinstance(copy.get(key), (type_, NoneType)) for key, type_ in types.items()) and all(isinstance(e, str) for e in excluded)


def _literal(pattern: str) -> str:
    parts = pattern.split("/")
    wild = next((number for number, part in enumerate(parts) if set(part) & set("*?[]")), len(parts))
    return "/".join(parts[:wild])
