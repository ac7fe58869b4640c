"""What waits for another object that is not ready: the first broken link of a chain is the cause, not those behind it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.observed import metadata
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.conditions import condition
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.report import Readiness


def is_behind(obj: Object, state: Reconciliation) -> bool:
    """Whether it is a HelmRelease that waits, by dependsOn, for one that is not ready for another reason; False in a circle."""
    seen: set[ObjectRef] = set()
    waiting = [obj]
    while waiting:
        current = waiting.pop()
        if not _waits(current):
            return current is not obj
        for ref in _dependencies(current):
            found = state.observed.get(ref)
            if found and ref not in seen and not state.is_current(found):
                waiting.append(found)
            seen.add(ref)
    return False


def _waits(obj: Object) -> bool:
    return obj.get("kind") == HELM_RELEASE and condition(obj, "Ready").get("reason") == "DependencyNotReady"


def _dependencies(release: Object) -> Iterator[ObjectRef]:
    own = metadata(release).get("namespace", "")
    for each in (release.get("spec") or {}).get("dependsOn") or ():
        yield ObjectRef(HELM_RELEASE, each.get("namespace") or own, str(each.get("name", "")))


def awaited_children(k: Readiness, state: Reconciliation, known: Mapping[str, Readiness]) -> frozenset[str]:
    """The Kustomizations for which the health check of `k` waits; empty if it waits for something else as well."""
    own = ObjectId(k.namespace, k.name)
    targets = state.unhealthy(own) if state.has_applied(own) else ()
    names = [f"{metadata(each).get('namespace', '')}/{metadata(each).get('name', '')}" for each in targets]
    others = any(each.get("kind") != KUSTOMIZATION for each in targets)
    return frozenset() if others or any(name not in known or known[name].suspended for name in names) else frozenset(names)
