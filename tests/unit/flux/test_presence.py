"""Whether the cluster has what a revision renders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devloop.clients.kube import Resource
from devloop.flux.presence import missing_objects
from devloop.model.causes.expected import Expected, ExpectedObject
from devloop.model.causes.observed import Observed

APPS = "flux-system/apps"
NAMESPACES, CONFIG_MAPS, WIDGETS, RELEASES = (
    Resource("v1", "namespaces", namespaced=False),
    Resource("v1", "configmaps"),
    Resource("example.com/v1", "widgets", namespaced=False),
    Resource("helm.toolkit.fluxcd.io/v2", "helmreleases"),
)


class Cluster:
    """The names of its objects per resource."""

    def __init__(self, **objects: Sequence[dict[str, Any]]) -> None:
        self.objects = objects

    def kinds(self) -> dict[tuple[str, str], Resource]:
        known = {("", "Namespace"): NAMESPACES, ("", "ConfigMap"): CONFIG_MAPS, ("example.com", "Widget"): WIDGETS}
        return known | {("helm.toolkit.fluxcd.io", "HelmRelease"): RELEASES}

    def metadata(self, resource: Resource) -> list[dict[str, Any]]:
        return [{"metadata": each} for each in self.objects.get(resource.plural, ())]


def found(cluster: Cluster, *objects: ExpectedObject, ready: Sequence[str] = (APPS,)) -> list[tuple[str, str]]:
    observed = Observed()
    for each in cluster.objects.get("helmreleases", ()):
        observed.take("ADDED", {"kind": "HelmRelease", "metadata": each})
    missing = missing_objects(cluster, Expected("", {}, objects=objects), frozenset(ready), observed)  # type: ignore[arg-type]
    return [(each.cause.id, str(each.cause.object)) for each in missing]


def expected(kind: str, name: str, namespace: str = "", group: str = "", release: str = "") -> ExpectedObject:
    return ExpectedObject(group, kind, namespace, name, APPS, release)


SETTINGS = expected("ConfigMap", "settings", "shop")


def test_what_exists_is_no_cause_and_what_does_not_is() -> None:
    shop = {"name": "shop"}
    assert found(Cluster(configmaps=[{"name": "settings", "namespace": "shop"}], namespaces=[shop]), SETTINGS) == []
    assert found(Cluster(configmaps=[{"name": "settings", "namespace": "other"}]), SETTINGS) == [
        ("object/missing", "ConfigMap/shop/settings")
    ]


def test_a_kustomization_that_is_not_ready_has_causes_of_its_own() -> None:
    assert found(Cluster(), SETTINGS, ready=()) == []


def test_a_cluster_scoped_object_has_no_namespace_whatever_is_rendered() -> None:
    assert found(Cluster(widgets=[{"name": "w"}]), expected("Widget", "w", "shop", "example.com")) == []


def test_a_kind_that_the_server_does_not_know() -> None:
    assert found(Cluster(), expected("Gadget", "g", "shop", "example.com")) == [("object/missing", "Gadget/shop/g")]


def test_what_is_being_deleted_or_in_a_namespace_that_is() -> None:
    doomed = {"name": "shop", "deletionTimestamp": "2026-05-01T12:00:00Z"}
    settings = {"name": "settings", "namespace": "shop"}
    assert found(Cluster(configmaps=[settings], namespaces=[doomed]), SETTINGS) == [("object/terminating", "ConfigMap/shop/settings")]
    held = {**settings, "deletionTimestamp": "2026-05-01T12:00:00Z", "finalizers": ["example.com/hold"]}
    assert found(Cluster(configmaps=[held]), SETTINGS) == [("object/terminating", "ConfigMap/shop/settings")]


def test_what_follows_from_a_namespace_or_release_that_is_gone_is_not_told() -> None:
    namespace = expected("Namespace", "shop")
    assert found(Cluster(), namespace, SETTINGS) == [("object/missing", "Namespace/shop")]
    release = expected("HelmRelease", "web", "shop", "helm.toolkit.fluxcd.io")
    assert found(Cluster(), release, SETTINGS._replace(release="shop/web")) == [("object/missing", "HelmRelease/shop/web")]


def test_an_object_of_a_release_without_a_namespace_is_in_that_of_the_release() -> None:
    rendered = expected("ConfigMap", "settings", release="shop/web")
    assert found(Cluster(configmaps=[{"name": "settings", "namespace": "shop"}]), rendered) == []


def test_kinds_that_are_watched_are_not_listed_again() -> None:
    release = expected("HelmRelease", "web", "shop", "helm.toolkit.fluxcd.io")
    assert found(Cluster(helmreleases=[{"name": "web", "namespace": "shop"}]), release) == []
