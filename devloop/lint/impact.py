"""Which Kustomizations a change of files reaches, as far as the graph knows. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from devloop.diagnostic import Diagnostic, Scope
from devloop.model.flux.graph import Node
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.settings import PATH

# What is said there holds for all files.
_EVERYWHERE = frozenset({PATH, ".sops.yaml"})

# Objects of these kinds judge or complete objects of other Kustomizations.
_JUDGES = frozenset(
    {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterPolicy", "PolicyRule", "LimitRange", "Namespace"}
)

Objects: TypeAlias = tuple[Manifest, ...]


@dataclass(frozen=True)
class Impact:
    """What `changed` (paths relative to the repository root) reaches; `scopes` name whole environments, too."""

    changed: Collection[str]
    scopes: frozenset[Scope]

    def has(self, finding: Diagnostic) -> bool:
        """Whether the change may have to do with the finding."""
        touched = any(path in self.changed for path in finding.paths)
        return bool(_everywhere(self.changed)) or touched or not self.scopes.isdisjoint(finding.scopes)


def impact(subject: LintContext, changed: Collection[str]) -> Impact:
    """Everything in `subject` that the change reaches."""
    scopes = frozenset(scope for inspected in subject.environments for scope in _scopes(inspected, changed))
    return Impact(changed, scopes)


def _everywhere(changed: Collection[str]) -> list[str]:
    return [path for path in changed if PurePosixPath(path).name in _EVERYWHERE]


def _scopes(inspected: EnvironmentGraph, changed: Collection[str]) -> Iterator[Scope]:
    name = inspected.environment.name
    reached = _reached(inspected, changed)
    if reached:
        yield Scope(name)
    for node_id in reached:
        yield Scope(name, str(node_id))


def _reached(inspected: EnvironmentGraph, changed: Collection[str]) -> frozenset[ObjectId]:
    everything = frozenset(inspected.graph.by_id)
    if inspected.environment.definition.path in changed:
        return everything
    folders = _folders(inspected, changed)
    changes = {node.kustomization.id: found for node in inspected.graph if (found := _changes(node, changed, folders)) is not None}
    if any(manifest.kind in _JUDGES for manifests in changes.values() for manifest in manifests):
        return everything
    return _closure(inspected, changes)


def _folders(inspected: EnvironmentGraph, changed: Collection[str]) -> frozenset[str]:
    """For each changed file that no build reads, gone or new, the nearest folder of which a build reads files."""
    read = {path for node in inspected.graph for path in node.files}
    known = {posixpath.dirname(path) for path in read} | {node.directory for node in inspected.graph if not node.files}
    nearest = (next((folder for folder in _above(path) if folder in known), None) for path in changed if path not in read)
    return frozenset(folder for folder in nearest if folder is not None)


def _above(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


def _changes(node: Node, changed: Collection[str], folders: Collection[str]) -> Objects | None:
    """The objects of the node that the change may have altered: those of changed files, or all where a file shapes others."""
    own = {path for path in node.files if path in changed}
    if node.directory in folders or any(posixpath.dirname(path) in folders for path in node.files):
        return node.manifests
    if own <= {manifest.origin.path for manifest in node.manifests}:
        return tuple(manifest for manifest in node.manifests if manifest.origin.path in own) or (() if own else None)
    return node.manifests


def _closure(inspected: EnvironmentGraph, changes: Mapping[ObjectId, Objects]) -> frozenset[ObjectId]:
    """What is changed, and what takes from it: children, variables, definitions of custom resources; then what takes from those."""
    reached = dict(changes)
    waiting = list(changes)
    while waiting:
        objects = reached[waiting.pop()]
        for node in inspected.graph:
            node_id = node.kustomization.id
            if node_id not in reached and _takes(node, objects):
                reached[node_id] = node.manifests
                waiting.append(node_id)
    return frozenset(reached)


def _takes(node: Node, objects: Objects) -> bool:
    wanted = {*_variables(node), (KUSTOMIZATION, node.kustomization.id)}
    kinds = {(manifest.api_version.partition("/")[0], manifest.kind) for manifest in node.manifests}
    return any(_identity(manifest) in wanted or _defines(manifest) in kinds for manifest in objects)


def _identity(manifest: Manifest) -> tuple[str, ObjectId]:
    return manifest.kind, manifest.id


def _variables(node: Node) -> Iterator[tuple[str, ObjectId]]:
    spec = node.kustomization.spec
    build = spec.get("postBuild") or {}
    for reference in build.get("substituteFrom") or ():
        yield str(reference.get("kind")), ObjectId(node.kustomization.id.namespace, str(reference.get("name")))


def _defines(manifest: Manifest) -> tuple[str, str] | None:
    if manifest.kind != "CustomResourceDefinition":
        return None
    spec = manifest.body.get("spec") or {}
    return str(spec.get("group")), str((spec.get("names") or {}).get("kind"))
