"""How Flux is told what a revision leaves as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.clients.kube import ApiError, Kube, Resource
from devloop.flux import affected
from devloop.model.causes.expected import Expected
from devloop.model.cluster.environment import Source
from devloop.model.flux.affected import Applied
from devloop.model.flux.reconciliation import Reconciliation

from ..model.flux.test_affected import APPS, INFRA, LIVE, NEW, NODES, OLD, RECORD, ROOT, graph, replace


class Cluster(Kube):
    """Its Kustomizations, and the patches of their status; those of `changed` are refused."""

    def __init__(self, folder: Path, changed: tuple[str, ...] = (), status: int = 422) -> None:
        self.folder, self.changed, self.status = folder, changed, status
        self.patches: dict[str, list[tuple[str, str, str]]] = {}

    def list(self, resource: Resource, namespace: str = "", **query: str) -> Any:
        return list(LIVE.values())

    def patch_status(self, resource: Resource, namespace: str, name: str, operations: Any) -> None:
        assert affected.load(self.folder)[ROOT].revision == NEW, "a run that ends here would leave a wrong record"
        if name in self.changed:
            raise ApiError(self.status, "Invalid", "the test failed")
        self.patches[name] = [(each["op"], each["path"], each["value"]) for each in operations]


TEST = ("test", "/metadata/resourceVersion", "7")
HELD = [TEST, ("replace", "/status/lastAttemptedRevision", NEW)]
MOVED = [
    *HELD,
    ("replace", "/status/lastAppliedRevision", NEW),
    ("replace", "/status/conditions/0/message", f"Applied revision: {NEW}"),
]
EDITED = graph(NODES[0], NODES[1], replace(NODES[2], fingerprint="g"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    affected.save(tmp_path, RECORD)
    return tmp_path


def test_what_an_edit_leaves_is_at_the_revision_and_what_depends_on_it_waits_for_devloop(folder: Path) -> None:
    cluster = Cluster(folder)
    assert affected.leave_unaffected(cluster, EDITED, NEW, folder) == {ROOT, INFRA}
    assert cluster.patches == {"flux-system": MOVED, "infra": MOVED, "apps": HELD}
    assert affected.load(folder)[APPS] == RECORD[APPS]


@pytest.mark.parametrize("status", [404, 422])
def test_what_changed_meanwhile_is_left_to_flux(folder: Path, status: int) -> None:
    assert affected.leave_unaffected(Cluster(folder, ("infra",), status), EDITED, NEW, folder) == {ROOT}


def test_other_refusals_are_errors(folder: Path) -> None:
    with pytest.raises(ApiError):
        affected.leave_unaffected(Cluster(folder, ("apps",), 500), EDITED, NEW, folder)


def test_everything_is_affected_without_a_record(tmp_path: Path) -> None:
    (tmp_path / affected.FILE).write_text('{"flux-system/infra": ["of another version"]}')
    cluster = Cluster(tmp_path)
    assert (affected.leave_unaffected(cluster, EDITED, NEW, tmp_path), cluster.patches) == (frozenset(), {})


def test_a_snapshot_of_other_files_than_the_graph_records_nothing(tmp_path: Path) -> None:
    state = Reconciliation(Expected(OLD, {}), 0.0)
    for obj in LIVE.values():
        state.observe("ADDED", obj, 0.0)
    source = Source(OLD.partition(":")[2], "tree")
    affected.note(tmp_path, graph(), source, state)
    assert affected.load(tmp_path) == {}
    affected.note(tmp_path, graph(), replace(source, is_built=True), state)
    assert affected.load(tmp_path)[INFRA] == Applied(OLD, "f", "uid-infra", 1)
