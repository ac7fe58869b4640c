"""Deleted parts of Flux's installation are restored, even while they are still terminating. All tests share one cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from devloop.clients.kube import CRDS, KUSTOMIZATIONS, NAMESPACES, RESOURCES, Kube, NotFoundError, Resource
from devloop.clients.wait import WaitTimeout
from devloop.errors import DevloopError
from devloop.flux import install as installation
from devloop.flux import open_controllers, termination
from devloop.flux.install import install
from devloop.model.flux.names import NAMESPACE
from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain

from .embedded_places import Place, at_home, until

CONTROLLERS = ("source-controller", "kustomize-controller")
DEFINITION = "kustomizations.kustomize.toolkit.fluxcd.io"
FLUXS, OTHER = "finalizers.fluxcd.io", "example.com/hold"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A cluster where no controller runs, so that nobody removes a finalizer."""
    home = tmp_path_factory.mktemp("installation")
    with at_home(home):
        place = Place(home, "installation")
        place.ensure_cluster()
        until(place.kube.is_ready)
        yield place


@pytest.fixture
def kube(place: Place, monkeypatch: pytest.MonkeyPatch) -> Kube:
    monkeypatch.setattr(termination, "RELEASE_AFTER", 0.2)
    put_back(place.kube)
    return place.kube


def put_back(kube: Kube) -> list[str]:
    """Installs, a second time without a change; the notices."""
    events: list[Event] = []
    install(CONTROLLERS, kube, Toolchain(), threading.Event(), events.append)
    assert not install(CONTROLLERS, kube, Toolchain(), threading.Event())
    return [event.message for event in events if isinstance(event, Notice)]


def make(kube: Kube, resource: Resource, name: str, finalizer: str, **more: Any) -> None:
    metadata = {"name": name, "namespace": NAMESPACE, "finalizers": [finalizer]}
    kube.request("POST", resource.path(NAMESPACE), {"metadata": metadata, **more})


def kustomization(kube: Kube, name: str, finalizer: str) -> None:
    spec = {"interval": "1h", "prune": True, "path": "./", "sourceRef": {"kind": "GitRepository", "name": "none"}}
    body = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "spec": spec}
    make(kube, KUSTOMIZATIONS, name, finalizer, **body)


def release(kube: Kube, resource: Resource, name: str) -> None:
    kube.merge(resource, NAMESPACE, name, {"metadata": {"finalizers": None}})


@pytest.mark.parametrize("kind", ["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "ServiceAccount", "Namespace"])
def test_what_was_deleted_is_put_back(kube: Kube, kind: str) -> None:
    everything = [item["metadata"] for item in kube.metadata(RESOURCES[kind], labelSelector=installation.OURS)]
    deleted = everything[-1]
    kube.delete(RESOURCES[kind], deleted["name"], deleted.get("namespace", ""))
    put_back(kube)
    found = kube.get(RESOURCES[kind], deleted["name"], deleted.get("namespace", ""))
    assert found
    assert found["metadata"]["uid"] != deleted["uid"]
    assert "deletionTimestamp" not in found["metadata"]


def test_fluxs_finalizer_holds_neither_the_namespace_nor_a_definition(kube: Kube) -> None:
    kustomization(kube, "apps", FLUXS)
    kube.delete(NAMESPACES, NAMESPACE)
    assert put_back(kube) == [f"waiting for the removal of the namespace {NAMESPACE}"]
    kustomization(kube, "apps", FLUXS)
    kube.delete(CRDS, DEFINITION)
    assert put_back(kube) == [f"waiting for the removal of {DEFINITION}"]
    assert kube.list(KUSTOMIZATIONS) == []


def test_another_finalizer_is_named_with_its_object(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    make(kube, RESOURCES["ConfigMap"], "held", OTHER)
    kube.delete(NAMESPACES, NAMESPACE)
    # The namespace controller writes the conditions.
    until(lambda: ((kube.get(NAMESPACES, NAMESPACE) or {}).get("status") or {}).get("conditions"))
    with monkeypatch.context() as patch:
        patch.setattr(termination, "PATIENCE", 0.5)
        with pytest.raises(DevloopError, match=f"the namespace {NAMESPACE} is still being deleted after") as error:
            put_back(kube)
    assert f"configmaps {NAMESPACE}/held has the finalizer {OTHER}" in error.value.message
    assert f"kubectl patch configmaps held --namespace {NAMESPACE} --type merge --patch" in str(error.value.hint)
    release(kube, RESOURCES["ConfigMap"], "held")
    put_back(kube)


def test_a_kustomization_is_waited_for_until_it_is_gone(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    names, stop, events = {f"{NAMESPACE}/apps"}, threading.Event(), list[Event]()
    termination.await_gone(kube, KUSTOMIZATIONS, names, stop, events.append)
    kustomization(kube, "apps", OTHER)
    termination.await_gone(kube, KUSTOMIZATIONS, names, stop, events.append)
    assert events == []
    kube.delete(KUSTOMIZATIONS, "apps", NAMESPACE)
    termination.await_gone(kube, KUSTOMIZATIONS, {f"{NAMESPACE}/other"}, stop, events.append)
    with monkeypatch.context() as patch:
        patch.setattr(termination, "PATIENCE", 0.3)
        with pytest.raises(DevloopError, match=f"kustomizations {NAMESPACE}/apps has the finalizer {OTHER}"):
            termination.await_gone(kube, KUSTOMIZATIONS, names, stop, events.append)
    threading.Timer(0.3, release, (kube, KUSTOMIZATIONS, "apps")).start()
    termination.await_gone(kube, KUSTOMIZATIONS, names, stop, events.append)
    assert kube.list(KUSTOMIZATIONS) == []


def test_a_definition_that_is_never_established_ends_the_wait(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PATIENCE", 0.5)
    with pytest.raises(WaitTimeout, match=r"the API server does not serve absent\.example\.com after") as error:
        installation._await_established(kube, [{"metadata": {"name": "absent.example.com"}}], threading.Event())
    assert str(error.value.hint) == "kubectl describe customresourcedefinitions absent.example.com"


def test_a_kind_that_is_not_served_yet_is_waited_for(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RESOURCES, "Widget", Resource("example.com/v1", "widgets"))  # type: ignore[misc]
    monkeypatch.setattr("devloop.clients.kube.SERVE_TIMEOUT", 0.3)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "default"}}
    with pytest.raises(NotFoundError):
        kube.apply(widget)
    monkeypatch.setattr("devloop.clients.kube.SERVE_TIMEOUT", 20.0)
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {**spec, "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]},
    }
    threading.Timer(0.3, kube.apply, (definition,)).start()
    assert kube.apply(widget)["metadata"]["name"] == "w"


def test_controllers_start_again_on_request(place: Place, kube: Kube) -> None:
    controllers = open_controllers(place.provisioner.runtime)
    controllers.ensure(CONTROLLERS, kube, {})
    before = {name: place.pid(name) for name in CONTROLLERS}
    controllers.restart(CONTROLLERS, kube)
    controllers.ensure(CONTROLLERS, kube, {})
    assert all(before[name] != place.pid(name) for name in CONTROLLERS)
