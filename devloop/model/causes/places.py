"""Where in the repository a cause has to be looked for: an object and its field, or a file. Lines are looked up later. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from devloop.diagnostic import Location
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.flux_fields import kustomization_fields, source_fields
from devloop.model.causes.ids import BUILDS
from devloop.model.causes.place import Place, best_place, file_of, place_of
from devloop.model.causes.pod_fields import pod_fields
from devloop.model.causes.refusals import refusal
from devloop.model.causes.refused_fields import fields_of_refusal
from devloop.model.causes.refused_pod_fields import refused_fields
from devloop.model.causes.release_places import failure_places, release_places
from devloop.model.causes.rendered import Owners, Rendered, RenderedObject, no_owners
from devloop.model.flux.graph import NodeState
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION, ROOT
from devloop.model.kubernetes.manifest import mapping_at, mappings_in
from devloop.model.kubernetes.pod_templates import pod_template

KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_ACCOUNT = re.compile(r'User "system:serviceaccount:[^:"]+:([^:"]+)" cannot')
_QUOTA = re.compile(r"(?:exceeded|failed) quota: ([\w.-]+)")
_OBJECT_IN_BUILD = re.compile(r"for '(\w+)\.[\w.\[\]-]+/([\w.:-]+)'")


def places(cause: Cause, rendered: Rendered, owners: Owners = no_owners) -> Iterator[Place]:
    """The best first; those with a note are related, the others for a file that does not exist. Nothing for a cause of the cluster."""
    family = cause.id.partition("/")[0]
    if family in ("cluster", "flux"):
        return
    found = _found(cause, rendered, owners)
    if cause.id == "source/failed" and cause.object[1:] == (ROOT.namespace, ROOT.name):
        return  # devloop's own Git server
    if found and family != "kustomization":
        yield from _of_object(cause, found, rendered)
    yield from _of_kustomization(cause, rendered)


def _found(cause: Cause, rendered: Rendered, owners: Owners) -> RenderedObject | None:
    """The object, else the first of its owners that the repository makes."""
    refs = (cause.object, *owners(cause.object))
    found = (rendered.find(ref, cause.kustomization) for ref in refs)
    return next(filter(None, found), None) or _stateful_set(cause.object, rendered)


def _stateful_set(claim: ObjectRef, rendered: Rendered) -> RenderedObject | None:
    """That whose controller made the claim TEMPLATE-NAME-NUMBER."""
    stem = re.fullmatch(r"(.+)-\d+", claim.name)
    if claim.kind != "PersistentVolumeClaim" or not stem:
        return None
    parts = stem[1].split("-")
    names = ("-".join(parts[start:]) for start in range(1, len(parts)))
    found = (rendered.find(ObjectRef("StatefulSet", claim.namespace, name)) for name in names)
    return next(filter(None, found), None)


def _of_object(cause: Cause, found: RenderedObject, rendered: Rendered) -> Iterator[Place]:
    message, manifest = cause.said or cause.message, found.manifest
    is_itself = (manifest.kind, manifest.name) == (cause.object.kind, cause.object.name)
    template = pod_template(manifest, any_version=True)
    family, _, kind = cause.id.partition("/")
    if manifest.kind == HELM_RELEASE and is_itself:
        yield from release_places(cause, message, found, rendered)
    elif cause.id == "release/chart-missing" or cause.id == "source/failed":
        yield best_place(found, source_fields(message))
    elif cause.id == "volume/pending":
        yield _claim(cause, found)
    elif template and family in ("pod", "job"):
        yield best_place(found, pod_fields(cause.id, message, template))
    elif template and family == "workload":
        yield best_place(found, refused_fields(kind if kind != "not-created" else refusal(message), message, template))
    elif family == "apply":
        yield from _refused(kind, message, found, rendered)
    elif cause.id == "object/not-reconciled":
        yield best_place(found, [("metadata", "annotations", cause.message.partition(": ")[0])])
    else:
        yield place_of(found)
    yield from _quota(message, found, rendered)


def _claim(cause: Cause, found: RenderedObject) -> Place:
    """Of a claim itself, or of the template of a StatefulSet."""
    if found.manifest.kind != "StatefulSet":
        return best_place(found, [("spec", "storageClassName"), ()])
    templates = mappings_in(found.manifest.mapping("spec").get("volumeClaimTemplates"))
    names = [mapping_at(each, "metadata").get("name") for each in templates]
    index = next((i for i, name in enumerate(names) if name and cause.object.name.startswith(f"{name}-{found.manifest.name}-")), None)
    base = ("spec", "volumeClaimTemplates") if index is None else ("spec", "volumeClaimTemplates", index)
    return best_place(found, [(*base, "spec", "storageClassName")])


def _refused(kind: str, message: str, found: RenderedObject, rendered: Rendered) -> Iterator[Place]:
    """Of an object that the API server does not take."""
    template, fields = pod_template(found.manifest, any_version=True), fields_of_refusal(message, found.manifest)
    if (account := _ACCOUNT.search(message)) and (owner := _applying(found, rendered, account[1])):
        yield place_of(owner, "spec", "serviceAccountName")
        yield replace(place_of(found), note="the object that it may not change")
        return
    match kind:
        case "kind-missing":
            yield place_of(found, "apiVersion")
        case "namespace-missing" | "namespace-terminating":
            yield best_place(found, [("metadata", "namespace")])
        case "pod-security" | "quota" if template:
            yield best_place(found, refused_fields(kind, message, template))
        case _:
            yield best_place(found, fields[:1])
            yield from (replace(best_place(found, [field]), note="another field that is refused") for field in fields[1:])


def _applying(found: RenderedObject, rendered: Rendered, account: str) -> RenderedObject | None:
    """The Kustomization that applies the object with this ServiceAccount, as an object of its parent."""
    own = found.node.kustomization
    is_used = own.spec.get("serviceAccountName") == account
    return rendered.find(ObjectRef(KUSTOMIZATION, own.id.namespace, own.id.name)) if is_used else None


def _quota(message: str, found: RenderedObject, rendered: Rendered) -> Iterator[Place]:
    if named := _QUOTA.search(message):
        quota = rendered.find(ObjectRef("ResourceQuota", found.manifest.namespace, named[1]))
        requested = re.search(r"requested: ([\w./-]+)=", message)
        if quota:
            field = ("spec", "hard", requested[1]) if requested else ()
            yield replace(best_place(quota, [field]), note="the quota")


def _of_kustomization(cause: Cause, rendered: Rendered) -> Iterator[Place]:
    """Of the Kustomization itself, or of what it builds."""
    ref = cause.object if cause.object.kind == KUSTOMIZATION else ObjectRef(KUSTOMIZATION, *cause.kustomization.partition("/")[::2])
    node, found = rendered.node(f"{ref.namespace}/{ref.name}"), rendered.find(ref)
    message = cause.said or cause.message
    if node and cause.id in BUILDS and node.failure and node.state is NodeState.FAILED:
        yield from failure_places(node.failure, str(node.kustomization.id), found)
    named = _OBJECT_IN_BUILD.search(message) if cause.id in BUILDS else None
    if named and (built := rendered.named(named[1], named[2], kustomization=f"{ref.namespace}/{ref.name}")):
        yield place_of(built)
    if found:
        fields = kustomization_fields(cause, message, found.manifest.body) if cause.id.startswith("kustomization/") else []
        yield file_of(found) if fields is None else best_place(found, fields)
    elif node:
        folder, names = node.directory, KUSTOMIZATION_FILES
        yield from (Place(Location(path), is_exact=False) for path in node.files if path in {f"{folder}/{name}" for name in names})
