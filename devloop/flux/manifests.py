"""The objects that connect a repository to Flux: namespace, RBAC, sources, keys, root Kustomization. Pure.

A repository names the sources of its real clusters. Here GitRepositories of these names point to the snapshot on the local Git server.
Patches of the root Kustomization rewrite or remove what would undo that: other kinds of sources, and the repository's own copy of the
source, the root Kustomization or Flux.
"""

import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from devloop.model.flux.graph import SELF_FIELDS, Graph, Node
from devloop.model.flux.kustomization import is_kustomization, parse_kustomization
from devloop.model.flux.names import (
    CREDENTIALS_SECRET,
    GIT_REPOSITORY,
    KEYS_SECRET,
    KUSTOMIZATION,
    KUSTOMIZE_GROUP,
    MANAGED,
    NAMESPACE,
    ROOT,
    SOURCE_GROUP,
)
from devloop.model.flux.source_settings import SourceSettings, is_source, source_settings
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import Object, ObjectId

FLUX_SELECTOR = "app.kubernetes.io/part-of=flux"

INTERVAL = "1h"  # `up` triggers reconciliation; this only reverts manual changes


def _object(api_version: str, kind: str, object_id: ObjectId | str, **fields: Any) -> Object:
    metadata: Object = {"name": object_id, "labels": dict(MANAGED)}
    if isinstance(object_id, ObjectId):
        metadata |= {"name": object_id.name, "namespace": object_id.namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def namespace(name: str) -> Object:
    return _object("v1", "Namespace", name)


def service_account(controller: str) -> Object:
    return _object("v1", "ServiceAccount", ObjectId(NAMESPACE, controller))


def secret(object_id: ObjectId, data: Mapping[str, str]) -> Object:
    """A Secret with `data` in plain text; never print it."""
    return _object("v1", "Secret", object_id, type="Opaque", stringData=dict(data))


def rbac(controller: str, objects: Sequence[Mapping[str, Any]]) -> list[Object]:
    """The roles from a controller's module, bound to its service account; prefixed, since all modules use the same names."""
    bindings = [o for o in objects if o["kind"].endswith("Binding")]
    bound = {(b["roleRef"]["kind"], b["roleRef"]["name"]) for b in bindings}
    roles = [o for o in objects if (o["kind"], o["metadata"]["name"]) in bound]
    own = {role["metadata"]["name"] for role in roles}
    subject = {"kind": "ServiceAccount", "name": controller, "namespace": NAMESPACE}

    def role_ref(ref: Mapping[str, str]) -> Object:
        return {**ref, "name": f"{controller}-{ref['name']}" if ref["name"] in own else ref["name"]}

    result = []
    for obj in [*roles, *bindings]:
        name = f"{controller}-{obj['metadata']['name']}"
        object_id = name if obj["kind"].startswith("Cluster") else ObjectId(NAMESPACE, name)
        fields = {"rules": obj["rules"]} if "rules" in obj else {"subjects": [subject], "roleRef": role_ref(obj["roleRef"])}
        result.append(_object(obj["apiVersion"], obj["kind"], object_id, **fields))
    return result


def git_repository(graph: Graph, object_id: ObjectId, url: str, branch: str) -> Object:
    """The source of the snapshot, which takes of it what the repository's own definition of that source takes, if any."""
    settings = _settings(graph, object_id)
    spec: Object = {"interval": INTERVAL, "timeout": "60s", "url": url, "ref": {"branch": branch}}
    spec |= {"secretRef": {"name": CREDENTIALS_SECRET}}
    spec |= {"ignore": settings.ignore} if settings.ignore else {}
    spec |= {"sparseCheckout": list(settings.sparse)} if settings.sparse else {}
    return _object(f"{SOURCE_GROUP}/v1", GIT_REPOSITORY, object_id, spec=spec)


def _settings(graph: Graph, object_id: ObjectId) -> SourceSettings:
    manifests = (manifest for node in graph for manifest in node.manifests)
    own = [manifest for manifest in manifests if is_source(manifest) and manifest.id == object_id]
    return source_settings(own[-1]) if own else SourceSettings()


def root_kustomization(graph: Graph, *, decryption: bool) -> Object:
    """The Kustomization of the entry path; keeps SELF_FIELDS of the repository's own definition of it, if any."""
    own = _rendered_self(graph)
    spec: Object = {
        "interval": INTERVAL,
        "retryInterval": "1m",
        "timeout": "5m",
        "prune": True,
        "decryption": {"provider": "sops", "secretRef": {"name": KEYS_SECRET.name}},
        **{key: own[key] for key in SELF_FIELDS if key in own},
        "path": "./" + posixpath.relpath(graph.entry_path, graph.source_directory),
        "sourceRef": {"kind": GIT_REPOSITORY, "name": ROOT.name, "namespace": ROOT.namespace},
        "patches": [*own.get("patches", ()), *_patches(graph, graph.root)],
    }
    if not decryption:
        del spec["decryption"]
    return _object(f"{KUSTOMIZE_GROUP}/v1", KUSTOMIZATION, graph.root.kustomization.id, spec=spec)


def _rendered_self(graph: Graph) -> Mapping[str, Any]:
    root = graph.root.kustomization.id
    bodies = (m.body for m in graph.root.manifests if is_kustomization(m.body) and parse_kustomization(m.body).id == root)
    return next((body.get("spec") or {} for body in bodies), {})


def keys_secrets(graph: Graph) -> tuple[ObjectId, ...]:
    """The Secrets for the Age keys: flux-system/sops-age, and those that Kustomizations reference but nothing renders."""
    rendered = {ObjectId(m.namespace, m.name) for node in graph for m in node.manifests if m.kind == "Secret"}
    named = set()
    for node in graph:
        ref = ((node.kustomization.spec.get("decryption") or {}).get("secretRef") or {}).get("name")
        if ref:
            named.add(ObjectId(node.kustomization.id.namespace, ref))
    return tuple(sorted({KEYS_SECRET} | (named - rendered)))


def _patches(graph: Graph, node: Node) -> list[Object]:
    """Patches that make `node` work with the local source; those of its children are nested in patches of the children."""
    result = [_removal(target) for target in _removals(graph, node)]
    for child in graph.children(node.kustomization.id):
        operations = _source_operations(graph, child) + _patch_operations(child, _patches(graph, child))
        if operations:
            result.append({"target": _target(KUSTOMIZATION, child.kustomization.id, KUSTOMIZE_GROUP), "patch": json.dumps(operations)})
    return result


def _source_operations(graph: Graph, child: Node) -> list[Object]:
    ref = child.kustomization.source
    if ref not in graph.own_sources or ref.kind == GIT_REPOSITORY:
        return []
    return [{"op": "replace", "path": "/spec/sourceRef/kind", "value": GIT_REPOSITORY}]


def _patch_operations(child: Node, patches: Sequence[Object]) -> list[Object]:
    if child.kustomization.spec.get("patches"):
        return [{"op": "add", "path": "/spec/patches/-", "value": patch} for patch in patches]
    return [{"op": "add", "path": "/spec/patches", "value": list(patches)}] if patches else []


def removals(graph: Graph) -> Callable[[Node, Manifest], bool]:
    """Whether our patches of a node take one of its objects out."""
    own, with_flux = _own_objects(graph), {node.kustomization.id for node in graph if any(map(_is_flux, node.manifests))}

    def is_removed(node: Node, manifest: Manifest) -> bool:
        is_flux = manifest.mapping("metadata", "labels").get("app.kubernetes.io/part-of") == "flux"
        return (is_flux and node.kustomization.id in with_flux) or (manifest.kind, manifest.namespace, manifest.name) in own

    return is_removed


def _own_objects(graph: Graph) -> frozenset[tuple[str, str, str]]:
    """(kind, namespace, name) of the repository's own sources and root Kustomization, which devloop replaces."""
    own = {(ref.kind, ref.namespace, ref.name) for ref in graph.own_sources}
    root = graph.root.kustomization.id
    return frozenset(own | {(GIT_REPOSITORY, ROOT.namespace, ROOT.name), (KUSTOMIZATION, root.namespace, root.name)})


def _removals(graph: Graph, node: Node) -> list[Object]:
    """Patch targets to remove: the repository's own sources, root Kustomization and copy of Flux."""
    own = _own_objects(graph)
    targets = [_target(m.kind, ObjectId(m.namespace, m.name), "") for m in node.manifests if (m.kind, m.namespace, m.name) in own]
    if any(_is_flux(manifest) for manifest in node.manifests):
        targets.append({"labelSelector": FLUX_SELECTOR})
    return targets


def _is_flux(manifest: Manifest) -> bool:
    labels = (manifest.body.get("metadata") or {}).get("labels") or {}
    return manifest.kind == "Deployment" and labels.get("app.kubernetes.io/part-of") == "flux"


def _target(kind: str, object_id: ObjectId, group: str) -> Object:
    target = {"kind": kind, "name": object_id.name}
    # The namespace is the rendered one: patches see what an enclosing kustomization.yaml sets.
    return target | ({"namespace": object_id.namespace} if object_id.namespace else {}) | ({"group": group} if group else {})


def _removal(target: Object) -> Object:
    return {"target": target, "patch": json.dumps({"$patch": "delete", "apiVersion": "v1", "kind": "Any", "metadata": {"name": "any"}})}
