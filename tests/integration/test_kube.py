"""The Kubernetes client against a real API server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.clients.kube import CRDS, DEPLOYMENTS, KUSTOMIZATIONS, NAMESPACES, RESOURCES, ApiError, Kube
from devloop.clients.watches import watch, watch_all
from devloop.errors import DevloopError
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.toolchain import Toolchain

CONFIG_MAPS = RESOURCES["ConfigMap"]


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Kube]:
    home = tmp_path_factory.mktemp("kube")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setenv("KUBECONFIG", str(home / "kubeconfig"))
    provisioner = EmbeddedProvisioner(Environment("kube", home, ClusterDefinition("kube", "G3", "")), toolchain, threading.Event())
    provisioner.ensure_cluster(lambda _: None)
    yield Kube(provisioner.kubeconfig())
    provisioner.delete(lambda _: None)
    patch.undo()


def config_map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


def test_apply_creates_changes_and_keeps_others_fields(kube: Kube) -> None:
    kube.apply(config_map("applied", ours="1"))
    kube.request(
        "PATCH",
        CONFIG_MAPS.path("default", "applied"),
        {"data": {"theirs": "1"}},
        content_type="application/merge-patch+json",
    )
    kube.apply(config_map("applied", ours="2"))
    found = kube.get(CONFIG_MAPS, "applied", "default")
    assert found
    assert found["data"] == {"ours": "2", "theirs": "1"}


def test_a_missing_object_is_none_and_an_unknown_kind_is_empty(kube: Kube) -> None:
    assert kube.get(CONFIG_MAPS, "nowhere", "default") is None
    assert kube.list(KUSTOMIZATIONS) == []


def test_items_of_lists_carry_their_kind(kube: Kube) -> None:
    assert {item["kind"] for item in kube.list(NAMESPACES)} == {"Namespace"}


def test_an_api_error_has_status_reason_and_message(kube: Kube) -> None:
    with pytest.raises(ApiError, match=r"422 Invalid: .*a valid DNS|RFC 1123") as caught:
        kube.apply(config_map("Not_A_Name"))
    assert caught.value.status == 422


def test_a_kind_that_was_just_defined_can_be_used_at_once(kube: Kube, toolchain: Toolchain) -> None:
    kube.apply_all(toolchain.crds("kustomize-controller"))
    for event, crd in watch(kube, CRDS, threading.Event()):
        conditions = (crd.get("status") or {}).get("conditions") or ()
        if event != "SYNCED" and any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            break
    assert kube.list(KUSTOMIZATIONS) == []


def test_a_watch_starts_with_existing_objects_and_ends_when_stopped(kube: Kube) -> None:
    kube.apply(config_map("seen", step="1"))
    stop = threading.Event()
    events = []
    for event, obj in watch(kube, CONFIG_MAPS, stop, "default"):
        name = (obj.get("metadata") or {}).get("name", "")
        events.append((event, name, (obj.get("data") or {}).get("step")))
        if event == "SYNCED":
            kube.apply(config_map("seen", step="2"))
        if events[-1] == ("MODIFIED", "seen", "2"):
            kube.request("DELETE", CONFIG_MAPS.path("default", "seen"))
        if event == "DELETED":
            stop.set()
    assert ("ADDED", "seen", "1") in events
    assert events[-1][:2] == ("DELETED", "seen")


def test_several_kinds_share_one_queue(kube: Kube) -> None:
    done = threading.Event()
    events = watch_all(kube, [NAMESPACES, DEPLOYMENTS], done)
    synced: set[str] = set()
    while len(synced) < 2:
        event, obj = events.get(timeout=10)
        if event == "SYNCED":
            synced.add(obj["kind"])
    done.set()
    assert synced == {"namespaces", "deployments"}


def test_annotating_a_deleted_object_is_not_an_error(kube: Kube) -> None:
    kube.annotate(CONFIG_MAPS, "default", "gone", {"a": "b"})


def test_a_missing_server_is_reported_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        '{"apiVersion": "v1", "kind": "Config", "current-context": "x", "users": [{"name": "x", "user": {}}],'
        ' "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],'
        ' "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}'
    )
    with pytest.raises(DevloopError, match="no answer from the API server") as caught:
        Kube(path).list(NAMESPACES)
    assert str(caught.value.hint)
