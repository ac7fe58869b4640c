"""Looks whether the cluster has what a revision renders. Reads metadata only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from devloop.clients.kube import WATCHED, Kube, Resource
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.expected import Expected, ExpectedObject
from devloop.model.causes.observed import Observed
from devloop.model.flux.names import HELM_RELEASE
from devloop.model.kubernetes.objects import Object

WORKERS = 4
NAMESPACE = ("", "Namespace")

Kinds = dict[tuple[str, str], Resource]
Found = dict[tuple[str, str], dict[tuple[str, str], Object]]


def missing_objects(kube: Kube, expected: Expected, ready: frozenset[str], observed: Observed) -> tuple[Cause, ...]:
    """A cause for each object of the `ready` Kustomizations (namespace/name) that does not exist or is being deleted.

    `observed` has all objects of the kinds that are watched.
    """
    objects = [each for each in expected.objects if each.kustomization in ready]
    if not objects:
        return ()
    kinds = kube.kinds()
    needed = {(each.group, each.kind) for each in objects} & kinds.keys() | {NAMESPACE}
    wanted = sorted(kind for kind in needed if kinds[kind] not in WATCHED)
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        lists = pool.map(lambda kind: kube.metadata(kinds[kind]), wanted)
    found = {kind: {_key(obj): obj for obj in listed} for kind, listed in zip(wanted, lists, strict=True)}
    for kind in needed.difference(wanted):
        found[kind] = {_key(obj): obj for obj in observed.of_kind(kind[1])}
    return tuple(_first(objects, tuple(_causes(objects, kinds, found))))


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _first(objects: Sequence[ExpectedObject], causes: Sequence[Cause]) -> Iterator[Cause]:
    """Without those that follow from another one: an object of a namespace or of a HelmRelease that is missing as well."""
    gone = {cause.object for cause in causes}
    releases = {(each.kind, each.name): each.release for each in objects if each.release}
    for cause in causes:
        release = releases.get((cause.object.kind, cause.object.name), "")
        above = (ObjectRef("Namespace", "", cause.object.namespace), ObjectRef(HELM_RELEASE, *release.partition("/")[::2]))
        if gone.isdisjoint(above):
            yield cause


def _causes(objects: Sequence[ExpectedObject], kinds: Kinds, found: Found) -> Iterator[Cause]:
    for each in objects:
        resource = kinds.get((each.group, each.kind))
        if resource is None:
            text = f"the cluster does not know the kind {each.kind}{f' of {each.group}' if each.group else ''}"
            yield Cause("object/missing", each.ref, text, each.kustomization)
            continue
        namespace = _namespace(each) if resource.namespaced else ""
        ref = ObjectRef(each.kind, namespace, each.name)
        obj = found[each.group, each.kind].get((namespace, each.name))
        holder = found[NAMESPACE].get(("", namespace))
        if obj is None:
            yield Cause("object/missing", ref, _gone(each), each.kustomization, hint=DevloopCommand("up"))
        elif obj["metadata"].get("deletionTimestamp"):
            held = obj["metadata"].get("finalizers") or ()
            text = f"it is being deleted{f', held by {chr(44).join(held)}' if held else ''}"
            yield Cause("object/terminating", ref, text, each.kustomization)
        elif holder and holder["metadata"].get("deletionTimestamp"):
            yield Cause("object/terminating", ref, f"its namespace {namespace} is being deleted", each.kustomization)


def _namespace(each: ExpectedObject) -> str:
    """Of a release's object without one, the release's."""
    return each.namespace or each.release.partition("/")[0] or "default"


def _gone(each: ExpectedObject) -> str:
    owner = f"HelmRelease {each.release}" if each.release else f"Kustomization {each.kustomization}"
    return f"it does not exist, although {owner} applied it"
