"""Which Kustomizations an edit affects, and what the status of the others says then. No I/O.

kustomize-controller reconciles every Kustomization of a source at every revision of it, one after the other where they depend on each
other. It leaves out those whose status says that they were attempted at the revision (kustomization_indexers.go), and takes a dependency
for done whose status says that it was applied (kustomization_controller.go). Where a build reads the same at both revisions that is what
reconciling it would say as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import assess
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object, ObjectId


class Applied(NamedTuple):
    """What a Kustomization was Ready at: the source's revision, the fingerprint of its build, and its own generation."""

    revision: str
    fingerprint: str
    uid: str
    generation: int


Record = Mapping[ObjectId, Applied]
Live = Mapping[ObjectId, Object]


def applied(graph: Graph, live: Live, revision: str) -> dict[ObjectId, Applied]:
    """Of the Kustomizations that are Ready at `revision`, which renders `graph`."""
    found = {}
    for node in _comparable(graph):
        obj = live.get(node.kustomization.id)
        if obj and assess(obj, revision).ready:
            found[node.kustomization.id] = _applied(obj, node, revision)
    return found


class Sorted(NamedTuple):
    """Live Kustomizations that are Ready: those that a revision leaves as they are, and those that depend on them alone.

    kustomize-controller reconciles what a Kustomization depends on along with it (sortAndEnqueue takes all that dependency.Sort names),
    unless somebody asks for the one alone.
    """

    unaffected: dict[ObjectId, Object]
    next: dict[ObjectId, Object]


def sort(graph: Graph, record: Record, live: Live) -> Sorted:
    """By whether `record` knows a Kustomization as Ready with the fingerprint that it has in `graph`."""
    found = Sorted({}, {})
    for node in _comparable(graph):
        known, obj = record.get(node.kustomization.id), live.get(node.kustomization.id)
        if known and obj and _applied(obj, node, known.revision) == known and _rests(obj, known.revision):
            found.unaffected[node.kustomization.id] = obj
    for node in graph:
        own, obj = node.kustomization, live.get(node.kustomization.id)
        waits = own.depends_on and own.id not in found.unaffected and own.source in graph.own_sources
        if waits and obj and found.unaffected.keys() >= {*own.depends_on} and _rests(obj, str(obj["status"].get("lastAppliedRevision"))):
            found.next[own.id] = obj
    return found


def at_revision(obj: Object, revision: str) -> list[dict[str, Any]]:
    """A JSON patch (RFC 6902) of the status of a Kustomization that `revision` does not affect."""
    status = obj["status"]
    before, conditions = str(status["lastAppliedRevision"]), status.get("conditions") or ()
    messages = {f"/status/conditions/{i}/message": str(each.get("message", "")) for i, each in enumerate(conditions)}
    return [
        *held(revision),
        {"op": "replace", "path": "/status/lastAppliedRevision", "value": revision},
        *({"op": "replace", "path": path, "value": text.replace(before, revision)} for path, text in messages.items() if before in text),
    ]


def held(revision: str) -> list[dict[str, Any]]:
    """A JSON patch of the status of a Kustomization that is asked for by itself when its source has `revision`, see Nudges."""
    return [{"op": "replace", "path": "/status/lastAttemptedRevision", "value": revision}]


def is_held(obj: Object, revision: str) -> bool:
    """While the controller works at `revision`, or has just said that it applied it, lastAppliedRevision is the earlier one as well."""
    status, ready = obj.get("status") or {}, condition(obj, "Ready")
    is_at_rest = ready.get("status") == "True" and revision not in str(ready.get("message", "")) and not has_condition(obj, "Reconciling")
    return is_at_rest and status.get("lastAttemptedRevision") == revision != status.get("lastAppliedRevision")


def _comparable(graph: Graph) -> Iterator[Node]:
    """Built from the repository alone, at every revision of it."""
    rendered = {(manifest.kind, manifest.id) for node in graph for manifest in node.manifests}
    for node in graph:
        kustomization = node.kustomization
        is_own = node is graph.root or kustomization.source in graph.own_sources
        if node.state is not NodeState.BUILT or not node.fingerprint or not is_own or kustomization.suspended:
            continue
        named = (kustomization.spec.get("postBuild") or {}).get("substituteFrom") or ()
        if all((each.get("kind"), ObjectId(kustomization.id.namespace, str(each.get("name", "")))) in rendered for each in named):
            yield node


def _applied(obj: Object, node: Node, revision: str) -> Applied:
    metadata = obj["metadata"]
    return Applied(revision, node.fingerprint, str(metadata.get("uid", "")), int(metadata.get("generation", 0)))


def _rests(obj: Object, revision: str) -> bool:
    """Whether it is Ready at `revision` and nothing is under way."""
    attempted = (obj.get("status") or {}).get("lastAttemptedRevision")
    return assess(obj, revision).ready and attempted == revision and not has_condition(obj, "Reconciling")
