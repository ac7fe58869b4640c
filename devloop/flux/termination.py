"""Waits until objects of Flux that are being deleted are gone. An object with a finalizer stays until the controller that set it, or
somebody else, has removed it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, Kube, Resource
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.hint import Hint, command, instructions
from devloop.model.flux.names import NAMESPACE
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import join_words
from devloop.model.report import Emit, Notice

PATIENCE = 60.0  # seconds
RELEASE_AFTER = 5.0  # seconds for Flux's controllers, which may not run, to finish their own objects
FINALIZER = "finalizers.fluxcd.io"
_REMAINING = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")  # of the condition of a namespace


def await_removal(kube: Kube, crds: Sequence[Mapping[str, Any]], stop: threading.Event, emit: Emit) -> None:
    """Wait until neither Flux's namespace nor one of `crds` is terminating.

    Their objects lose Flux's own finalizer after a while, as in `flux uninstall`. Raises DevloopError that names other finalizers.
    """
    emit(Notice(f"waiting for the removal of {join_words(_terminating(kube, crds))}"))
    resources = [_resource(crd) for crd in crds]
    release_at = time.monotonic() + RELEASE_AFTER

    def is_gone() -> bool:
        left = _terminating(kube, crds)
        if left and time.monotonic() > release_at:
            _release(kube, resources, left)
        return not left

    try:
        until(is_gone, "the removal", patience=PATIENCE, stop=stop, hint="")
    except WaitTimeout:
        left, holders = _terminating(kube, crds), [*_holders(kube, resources)]
        raise held_error(join_words(left), holders) from None


def await_gone(kube: Kube, resource: Resource, names: Collection[str], stop: threading.Event, emit: Emit) -> None:
    """Wait until none of these objects (namespace/name, or name) is terminating: what is applied to one that is would go with it."""

    def terminating() -> list[Object]:
        return [item for item in _metadata(kube, resource) if item.get("deletionTimestamp") and _full(item) in names]

    if not (found := terminating()):
        return
    emit(Notice(f"waiting for the removal of {join_words([_full(item) for item in found])}"))
    try:
        until(lambda: not terminating(), "the removal", patience=PATIENCE, stop=stop, hint="")
    except WaitTimeout:
        left = terminating()
        raise held_error(
            join_words([_full(item) for item in left]), [(resource, item) for item in left if item.get("finalizers")]
        ) from None


def held_error(what: str, holders: Sequence[tuple[Resource, Object]]) -> DevloopError:
    """`holders` are resources and the metadata of objects with finalizers."""
    held = [f"{resource.plural} {_full(item)} has the finalizer {', '.join(item['finalizers'])}" for resource, item in holders]
    hint: Hint = command("kubectl get namespace --output yaml", NAMESPACE)
    if holders:
        resource, item = holders[0]
        scope = ("--namespace", item["namespace"]) if item.get("namespace") else ()
        patch = ("--type", "merge", "--patch", '{"metadata":{"finalizers":null}}')
        release = command("kubectl patch", resource.plural, item["name"], *scope, *patch)
        hint = instructions("let the controller of the finalizer finish, or remove it: ", release)
    return DevloopError(f"{what} is still being deleted after {PATIENCE:.0f} s" + (f": {'; '.join(held[:3])}" if held else ""), hint=hint)


def _terminating(kube: Kube, crds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names for messages; a definition by its own name."""
    namespace = kube.get(NAMESPACES, NAMESPACE)
    found = [f"the namespace {NAMESPACE}"] if namespace and namespace["metadata"].get("deletionTimestamp") else []
    names = {crd["metadata"]["name"] for crd in crds}
    return found + [item["name"] for item in _metadata(kube, CRDS) if item["name"] in names and item.get("deletionTimestamp")]


def _release(kube: Kube, resources: Sequence[Resource], left: Sequence[str]) -> None:
    """Remove Flux's finalizer from what is deleted together with its namespace or definition."""
    for resource in resources:
        whole = any(name.startswith(f"{resource.plural}.") for name in left)
        for item in _metadata(kube, resource, "" if whole else NAMESPACE):
            finalizers = item.get("finalizers") or []
            if item.get("deletionTimestamp") and FINALIZER in finalizers:
                kept = [each for each in finalizers if each != FINALIZER]
                kube.merge(resource, item["namespace"], item["name"], {"metadata": {"finalizers": kept}})


def _holders(kube: Kube, resources: Sequence[Resource]) -> Iterator[tuple[Resource, Object]]:
    """What keeps the namespace or a definition: objects with finalizers."""
    for resource in resources:
        yield from ((resource, item) for item in _metadata(kube, resource) if item.get("deletionTimestamp") and item.get("finalizers"))
    for resource in _remaining(kube):
        if resource.plural not in {each.plural for each in resources}:
            yield from ((resource, item) for item in _metadata(kube, resource, NAMESPACE) if item.get("finalizers"))


def _remaining(kube: Kube) -> list[Resource]:
    """The kinds of which the namespace still has objects, from its conditions."""
    conditions = ((kube.get(NAMESPACES, NAMESPACE) or {}).get("status") or {}).get("conditions") or ()
    found = {match for condition in conditions for match in _REMAINING.findall(condition.get("message", ""))}
    return [resource for (group, _), resource in kube.kinds().items() if (resource.plural, group) in found] if found else []


def _metadata(kube: Kube, resource: Resource, namespace: str = "") -> list[Object]:
    return [item["metadata"] for item in kube.metadata(resource, namespace)]


def _resource(crd: Mapping[str, Any]) -> Resource:
    spec = crd["spec"]
    version = next(version["name"] for version in spec["versions"] if version.get("storage"))
    return Resource(f"{spec['group']}/{version}", spec["names"]["plural"], spec["scope"] == "Namespaced")


def _full(item: Object) -> str:
    return "/".join(filter(None, (item.get("namespace", ""), item["name"])))
