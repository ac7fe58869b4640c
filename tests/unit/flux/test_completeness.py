"""What `up` does about objects that are missing, and about values that helm-controller does not watch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.kube import Resource
from devloop.flux import completeness
from devloop.flux.completeness import Completeness
from devloop.model.causes.expected import Expected
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.flux.names import FORCE_AT, REQUESTED_AT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.manifest import Manifest

APPS = "flux-system/apps"
KINDS = {
    ("", "ConfigMap"): Resource("v1", "configmaps"),
    ("", "Namespace"): Resource("v1", "namespaces", namespaced=False),
    ("source.toolkit.fluxcd.io", "Bucket"): Resource("source.toolkit.fluxcd.io/v1", "buckets"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"): Resource("helm.toolkit.fluxcd.io/v2", "helmreleases"),
}


class Cluster:
    """Its objects by plural, and the annotations that were requested."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {"helmreleases": [{"namespace": "shop", "name": "web"}]}
        self.requests: list[tuple[str, str, frozenset[str]]] = []

    def kinds(self) -> Mapping[tuple[str, str], Resource]:
        return KINDS

    def metadata(self, resource: Resource) -> list[dict[str, Any]]:
        return [{"metadata": each} for each in self.objects.get(resource.plural, ())]

    def annotate(self, resource: Resource, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        self.requests.append((resource.plural, name, frozenset(annotations)))
        self.token = annotations[REQUESTED_AT]


def manifest(kind: str, name: str, release: str = "", api: str = "v1", **spec: Any) -> Manifest:
    body = {"apiVersion": api, "kind": kind, "metadata": {"namespace": "shop", "name": name}, "spec": spec}
    return Manifest(body, release=release)


def live(kind: str, namespace: str, name: str, handled: str = "") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"namespace": namespace, "name": name}, "status": {"lastHandledReconcileAt": handled}}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def begin(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *manifests: Manifest) -> Completeness:
    monkeypatch.setattr(completeness, "PACE", 0.0)
    kustomization = parse_kustomization({"metadata": {"namespace": "flux-system", "name": "apps"}})
    graph = Graph("local", ".", "./", (Node(kustomization, NodeState.BUILT, manifests=manifests),))
    state = Reconciliation(Expected.of(graph, "r"), 0.0)
    for obj in (live("Kustomization", "flux-system", "apps"), live("HelmRelease", "shop", "web")):
        state.observe("ADDED", obj, 0.0)
    return Completeness(cluster, graph, state, tmp_path, tmp_path, lambda url: b"")  # type: ignore[arg-type]


def look(made: Completeness, *, changed: bool = False) -> list[str] | None:
    causes = made.look(frozenset({APPS}), changed=changed)
    return None if causes is None else [cause.id for cause in causes]


def test_what_somebody_deleted_is_applied_again_once(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begin(cluster, tmp_path, monkeypatch, manifest("ConfigMap", "settings"))
    assert look(made) is None
    assert cluster.requests == [("kustomizations", "apps", frozenset({REQUESTED_AT}))]
    assert made.is_pending
    made.state.observe("MODIFIED", live("Kustomization", "flux-system", "apps", cluster.token), 1.0)
    assert not made.is_pending
    assert look(made) == ["object/missing"]
    cluster.objects["configmaps"] = [{"namespace": "shop", "name": "settings"}]
    assert look(made) == []


def test_an_object_of_a_release_needs_an_upgrade(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = manifest("HelmRelease", "web", api="helm.toolkit.fluxcd.io/v2")
    made = begin(cluster, tmp_path, monkeypatch, release, manifest("ConfigMap", "settings", "shop/web"))
    assert look(made) is None
    assert cluster.requests == [("helmreleases", "web", frozenset({REQUESTED_AT, FORCE_AT}))]


def test_what_is_being_deleted_is_waited_for(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begin(cluster, tmp_path, monkeypatch, manifest("ConfigMap", "settings"))
    cluster.objects["configmaps"] = [{"namespace": "shop", "name": "settings", "deletionTimestamp": "2026-05-01T12:00:00Z"}]
    assert look(made) is None
    assert [cause.id for cause in made.missing] == ["object/terminating"]
    assert cluster.requests == []


def test_a_release_reads_its_values_again_after_a_change(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = manifest("HelmRelease", "web", api="helm.toolkit.fluxcd.io/v2", valuesFrom=[{"kind": "ConfigMap", "name": "values"}])
    made = begin(cluster, tmp_path, monkeypatch, release)
    assert look(made) == []
    assert look(made, changed=True) is None
    assert cluster.requests == [("helmreleases", "web", frozenset({REQUESTED_AT}))]
    assert look(made, changed=True) == []


def test_a_source_that_exists_but_was_not_seen_yet_is_awaited(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begin(cluster, tmp_path, monkeypatch, manifest("Bucket", "files", api="source.toolkit.fluxcd.io/v1"))
    cluster.objects["buckets"] = [{"namespace": "shop", "name": "files"}]
    assert look(made) is None
    assert cluster.requests == []
    made.state.observe("ADDED", live("Bucket", "shop", "files"), 1.0)
    assert look(made) == []
