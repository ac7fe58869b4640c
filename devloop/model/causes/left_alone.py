"""Edits that do nothing because the repository says so: what is suspended, or applied once or never. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Severity
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.flux.graph import Graph, Node
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import KUSTOMIZATION, KUSTOMIZE_GROUP
from devloop.model.kubernetes.manifest import Manifest

# Annotations by which kustomize-controller leaves an object alone that exists: https://fluxcd.io/flux/components/kustomize/kustomizations/
_LEFT = {f"{KUSTOMIZE_GROUP}/ssa": ("ifnotpresent", "ignore"), f"{KUSTOMIZE_GROUP}/reconcile": ("disabled",)}


def left_alone(graph: Graph) -> tuple[Cause, ...]:
    """A warning for each Kustomization, HelmRelease and object whose edits Flux does not apply."""
    return tuple(cause for node in graph for cause in _of(node))


def _of(node: Node) -> Iterator[Cause]:
    name = node.kustomization.id
    if node.kustomization.suspended:
        ref = ObjectRef(KUSTOMIZATION, name.namespace, name.name)
        text = f"it is suspended: edits in {node.directory or 'its path'} are not applied"
        yield Cause("kustomization/suspended", ref, text, str(name), severity=Severity.WARNING)
        return
    for manifest in node.manifests:
        yield from _of_object(manifest, str(name))


def _of_object(manifest: Manifest, kustomization: str) -> Iterator[Cause]:
    ref = ObjectRef(manifest.kind, manifest.namespace, manifest.name)
    path, line = manifest.origin.path, manifest.origin.line
    if is_helm_release(manifest) and manifest.mapping("spec").get("suspend"):
        text = "it is suspended: edits of the release and its chart are not applied"
        yield Cause("release/suspended", ref, text, kustomization, severity=Severity.WARNING, path=path, line=line)
    annotations = manifest.mapping("metadata", "annotations")
    for key, values in _LEFT.items():
        if not manifest.release and str(annotations.get(key, "")).lower() in values:
            text = f"{key}: {annotations[key]} keeps Flux from applying edits"
            yield Cause("object/not-reconciled", ref, text, kustomization, severity=Severity.INFO, path=path, line=line)
