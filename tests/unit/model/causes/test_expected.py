"""What a revision puts into the cluster, and the edits that Flux is configured to skip."""

from __future__ import annotations

from typing import Any

from devloop.model.causes.expected import Expected
from devloop.model.causes.left_alone import left_alone
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId

FLUX = "kustomize.toolkit.fluxcd.io"


def manifest(kind: str = "ConfigMap", name: str = "settings", release: str = "", api: str = "v1", **body: Any) -> Manifest:
    annotations = {f"{FLUX}/{key}": value for key, value in body.pop("flux", {}).items()} | body.pop("annotations", {})
    metadata = {"namespace": "shop", "name": name, "annotations": annotations}
    return Manifest({"apiVersion": api, "kind": kind, "metadata": metadata, **body}, release=release)


def node(name: str, *manifests: Manifest, parent: str = "", **spec: Any) -> Node:
    annotations = spec.pop("annotations", {})
    obj = {"metadata": {"namespace": "flux-system", "name": name, "annotations": annotations}, "spec": spec}
    above = ObjectId("flux-system", parent) if parent else None
    return Node(parse_kustomization(obj), NodeState.BUILT, above, directory=f"k8s/{name}", manifests=manifests)


def names(*nodes: Node) -> list[str]:
    return [f"{each.kind}/{each.name}" for each in Expected.of(Graph("local", ".", "./", nodes), "r").objects]


def test_everything_rendered_is_expected() -> None:
    assert names(node("apps", manifest(), manifest(name="of-release", release="shop/web"))) == [
        "ConfigMap/settings",
        "ConfigMap/of-release",
    ]


def test_suspended_and_excluded_kustomizations_and_what_they_would_create_are_not() -> None:
    assert names(node("apps", manifest(), suspend=True), node("child", manifest(name="below"), parent="apps")) == []
    assert names(node("apps", manifest(), annotations={"ksail.devantler.tech/reconcile-exclude": "true"})) == []
    assert names(node("apps", manifest(), kubeConfig={"secretRef": {"name": "other"}})) == []


def test_objects_of_a_release_that_is_suspended_or_of_another_cluster_are_not() -> None:
    for spec in ({"suspend": True}, {"kubeConfig": {"secretRef": {"name": "other"}}}):
        release = manifest("HelmRelease", "web", api="helm.toolkit.fluxcd.io/v2", spec=spec)
        assert names(node("apps", release, manifest(release="shop/web"))) == ["HelmRelease/web"]


def test_what_flux_does_not_apply_and_what_ends_by_itself_are_not() -> None:
    hook = manifest("Job", "migrate", release="shop/web", annotations={"helm.sh/hook": "pre-install"})
    finishes = manifest("Job", "once", spec={"ttlSecondsAfterFinished": 60})
    ignored = [manifest(flux={"reconcile": "disabled"}), manifest(flux={"ssa": "Ignore"})]
    assert names(node("apps", hook, finishes, *ignored, manifest(name="stays", flux={"ssa": "IfNotPresent"}))) == ["ConfigMap/stays"]


def test_edits_that_do_nothing_are_said() -> None:
    release = manifest("HelmRelease", "web", api="helm.toolkit.fluxcd.io/v2", spec={"suspend": True})
    once = manifest(flux={"ssa": "IfNotPresent"})
    nodes = (node("apps", release, once, manifest(name="plain")), node("later", manifest(), suspend=True))
    found = [(cause.id, cause.severity.value) for cause in left_alone(Graph("local", ".", "./", nodes))]
    assert found == [("release/suspended", "warning"), ("object/not-reconciled", "info"), ("kustomization/suspended", "warning")]
