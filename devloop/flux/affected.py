"""Keeps what each Kustomization is Ready at, and tells Flux which of them a revision leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from devloop.clients import private_files
from devloop.clients.kube import GIT_REPOSITORIES, KUSTOMIZATIONS, ApiError, Kube, Resource
from devloop.errors import DevloopError
from devloop.model.cluster.environment import Source
from devloop.model.flux.affected import Applied, Record, applied, at_revision, held, sort
from devloop.model.flux.artifacts import artifact_revision
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.flux.reconciliation import Reconciliation, kustomization_id
from devloop.model.kubernetes.objects import Object, ObjectId

FILE = "applied.json"
WORKERS = 6
GONE, CHANGED = 404, 422  # how the API server refuses the patch of an object that changed meanwhile


def load(folder: Path) -> Record:
    """Empty if there is none, or for a file of another version."""
    try:
        return {ObjectId.parse(name): Applied(*values) for name, values in private_files.read_json(folder / FILE).items()}  # type: ignore[misc]
    except (ValueError, TypeError):
        return {}


def save(folder: Path, record: Record) -> None:
    """Hashes and names alone."""
    document: Mapping[str, object] = {str(name): list(each) for name, each in record.items()}
    if private_files.read_json(folder / FILE) != document:
        private_files.write_json(folder / FILE, document)


def note(folder: Path, graph: Graph, source: Source, state: Reconciliation) -> None:
    """Keep what is Ready at the revision of `source`, which renders `graph`; without a record the next run only takes longer."""
    if source.is_built:
        live = {kustomization_id(obj): obj for obj in state.observed.of_kind(KUSTOMIZATION)}
        with suppress(DevloopError):
            save(folder, {**load(folder), **applied(graph, live, source.revision)})


def leave_unaffected(kube: Kube, graph: Graph, revision: str, folder: Path) -> frozenset[ObjectId]:
    """The Kustomizations that `revision`, which renders `graph`, does not affect: they are at it now. Call this before Flux has it."""
    record = load(folder)
    found = sort(graph, record, {kustomization_id(obj): obj for obj in kube.list(KUSTOMIZATIONS)})
    # If the run ends in between, the record is of another revision than the object, which is affected then.
    save(folder, {**record, **{name: record[name]._replace(revision=revision) for name in found.unaffected}})
    patches = [
        *((obj, at_revision(obj, revision)) for obj in found.unaffected.values()),
        *((obj, held(revision)) for obj in found.next.values()),
    ]
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        moved = [*pool.map(lambda patch: _is_at(patch[0], revision) or _patch(kube, KUSTOMIZATIONS, *patch), patches)]
    return frozenset(name for name, done in zip(found.unaffected, moved, strict=False) if done)


def _is_at(obj: Object, revision: str) -> bool:
    return bool(obj["status"].get("lastAppliedRevision") == revision)


def forget_artifact(kube: Kube, source: Object) -> None:
    """Before its next one: kustomize-controller asks for both sides of an update whether a Kustomization is at another revision, and
    nothing is at another one than a source that had none (controller-runtime's EnqueueRequestsFromMapFunc, SourceRevisionChangePredicate).
    """
    if artifact_revision(source):
        _patch(kube, GIT_REPOSITORIES, source, [{"op": "remove", "path": "/status/artifact"}])


def _patch(kube: Kube, resource: Resource, obj: Object, operations: Sequence[Mapping[str, Any]]) -> bool:
    """Of its status; False if the object has changed or gone meanwhile."""
    metadata = obj["metadata"]
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
    try:
        kube.patch_status(resource, metadata["namespace"], metadata["name"], [test, *operations])
    except ApiError as error:
        if error.status not in (GONE, CHANGED):
            raise
        return False
    return True
