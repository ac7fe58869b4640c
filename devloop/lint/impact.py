"""Which Kustomizations a change of files affects, according to the graph. Pure."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from devloop.diagnostic import Diagnostic, Scope
from devloop.model.flux.graph import Node
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.file_index import above
from devloop.model.lint.settings import PATH

# Files that apply to all others.
_GLOBAL = frozenset({PATH, ".sops.yaml"})

# Kinds that apply to objects of other Kustomizations.
_GLOBAL_KINDS = frozenset(
    {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterPolicy", "PolicyRule", "LimitRange", "Namespace"}
)

Objects: TypeAlias = tuple[Manifest, ...]


@dataclass(frozen=True)
class Impact:
    """The affected `scopes`, among them whole environments, and the `changed` paths relative to the repository root."""

    changed: Collection[str]
    scopes: frozenset[Scope]

    def has(self, finding: Diagnostic) -> bool:
        """Whether the change may affect the finding."""
        everything = any(posixpath.basename(path) in _GLOBAL for path in self.changed)
        return everything or any(path in self.changed for path in finding.paths) or not self.scopes.isdisjoint(finding.scopes)


def impact(context: LintContext, changed: Collection[str]) -> Impact:
    return Impact(changed, frozenset(scope for built in context.environments for scope in _scopes(built, changed)))


def _scopes(built: EnvironmentGraph, changed: Collection[str]) -> Iterator[Scope]:
    name = built.environment.name
    if affected := _affected(built, changed):
        yield Scope(name)
    for node_id in affected:
        yield Scope(name, str(node_id))


def _affected(built: EnvironmentGraph, changed: Collection[str]) -> Collection[ObjectId]:
    everything = built.graph.by_id
    if built.environment.definition.path in changed:
        return everything
    folders = _folders(built, changed)
    changes = {node.kustomization.id: objects for node in built.graph if (objects := _changes(node, changed, folders)) is not None}
    if any(manifest.kind in _GLOBAL_KINDS for manifests in changes.values() for manifest in manifests):
        return everything
    return _with_dependents(built, changes)


def _folders(built: EnvironmentGraph, changed: Collection[str]) -> frozenset[str]:
    """For each changed file that no build reads, because it is new or deleted, the nearest folder with files of a build."""
    read = {path for node in built.graph for path in node.files}
    known = {posixpath.dirname(path) for path in read} | {node.directory for node in built.graph if not node.files}
    nearest = (next((folder for folder in above(path) if folder in known), None) for path in changed if path not in read)
    return frozenset(folder for folder in nearest if folder is not None)


def _changes(node: Node, changed: Collection[str], folders: Collection[str]) -> Objects | None:
    """The objects of changed files, or all objects if a changed file is not an object; None if nothing changed."""
    own = {path for path in node.files if path in changed}
    if node.directory in folders or any(posixpath.dirname(path) in folders for path in node.files):
        return node.manifests
    if own <= {manifest.origin.path for manifest in node.manifests}:
        return tuple(manifest for manifest in node.manifests if manifest.origin.path in own) or (() if own else None)
    return node.manifests


def _with_dependents(built: EnvironmentGraph, changes: Mapping[ObjectId, Objects]) -> Collection[ObjectId]:
    """Adds Kustomizations that use changed objects: as their own definition, variables or custom resource definitions."""
    affected = dict(changes)
    waiting = list(changes)
    while waiting:
        objects = affected[waiting.pop()]
        for node in built.graph:
            node_id = node.kustomization.id
            if node_id not in affected and _uses(node, objects):
                affected[node_id] = node.manifests
                waiting.append(node_id)
    return affected


def _uses(node: Node, objects: Objects) -> bool:
    used = {*_variables(node), (KUSTOMIZATION, node.kustomization.id)}
    kinds = {(manifest.group, manifest.kind) for manifest in node.manifests}
    return any((manifest.kind, manifest.id) in used or _defined_kind(manifest) in kinds for manifest in objects)


def _variables(node: Node) -> Iterator[tuple[str, ObjectId]]:
    build = node.kustomization.spec.get("postBuild") or {}
    for reference in build.get("substituteFrom") or ():
        yield str(reference.get("kind")), ObjectId(node.kustomization.id.namespace, str(reference.get("name")))


def _defined_kind(manifest: Manifest) -> tuple[str, str] | None:
    if manifest.kind != "CustomResourceDefinition":
        return None
    spec = manifest.body.get("spec") or {}
    return str(spec.get("group")), str((spec.get("names") or {}).get("kind"))
