"""Checks whether the cluster has what a revision renders. Reads metadata only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from devloop.clients.kube import WATCHED, Kube, Resource
from devloop.hint import DevloopCommand
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.expected import Expected, ExpectedObject
from devloop.model.causes.flux import finalizers
from devloop.model.causes.observed import Observed, metadata
from devloop.model.flux.names import HELM_RELEASE
from devloop.model.kubernetes.objects import Object

WORKERS = 4
NAMESPACE = ("", "Namespace")

Kinds = dict[tuple[str, str], Resource]
Found = dict[tuple[str, str], dict[tuple[str, str], Object]]


class Missing(NamedTuple):
    """An expected object that does not exist or is being deleted."""

    expected: ExpectedObject
    cause: Cause

    @property
    def is_gone(self) -> bool:
        return self.cause.id == "object/missing"


def missing_objects(kube: Kube, expected: Expected, ready: frozenset[str], observed: Observed) -> tuple[Missing, ...]:
    """Each object of the `ready` Kustomizations (namespace/name) that does not exist or is being deleted.

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
    return tuple(_first(tuple(_missing(objects, kinds, found))))


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _first(missing: Sequence[Missing]) -> Iterator[Missing]:
    """Without those that follow from another one: an object of a namespace or of a HelmRelease that is missing as well."""
    gone = {each.cause.object for each in missing}
    for each in missing:
        release = ObjectRef(HELM_RELEASE, *each.expected.release.partition("/")[::2])
        if gone.isdisjoint((ObjectRef("Namespace", "", each.cause.object.namespace), release)):
            yield each


def _missing(objects: Sequence[ExpectedObject], kinds: Kinds, found: Found) -> Iterator[Missing]:
    for each in objects:
        resource = kinds.get((each.group, each.kind))
        if resource is None:
            text = f"the cluster does not know the kind {each.kind}{f' of {each.group}' if each.group else ''}"
            yield Missing(each, Cause("object/missing", each.ref, text, each.kustomization))
            continue
        namespace = _namespace(each) if resource.namespaced else ""
        obj = found[each.group, each.kind].get((namespace, each.name))
        holder = found[NAMESPACE].get(("", namespace), {})
        if cause := _cause(each, ObjectRef(each.kind, namespace, each.name), obj, holder):
            yield Missing(each, cause)


def _cause(each: ExpectedObject, ref: ObjectRef, obj: Object | None, namespace: Object) -> Cause | None:
    if obj is None:
        return Cause("object/missing", ref, _gone(each), each.kustomization, hint=DevloopCommand("up"))
    if metadata(obj).get("deletionTimestamp"):
        return Cause("object/terminating", ref, f"it is being deleted{finalizers(obj)}", each.kustomization)
    if metadata(namespace).get("deletionTimestamp"):
        return Cause("object/terminating", ref, f"its namespace {ref.namespace} is being deleted", each.kustomization)
    return None


def _namespace(each: ExpectedObject) -> str:
    """Of a release's object without one, the release's."""
    return each.namespace or each.release.partition("/")[0] or "default"


def _gone(each: ExpectedObject) -> str:
    owner = f"HelmRelease {each.release}" if each.release else f"Kustomization {each.kustomization}"
    return f"it does not exist, although {owner} applied it"
