"""The objects that hand a repository to Flux."""

from __future__ import annotations

import json
from typing import Any

from devloop.flux import manifests as bootstrap
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import Kustomization, SourceRef
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId

OCI = SourceRef("OCIRepository", "flux-system", "flux-system")


def node(name: str, parent: str | None, source: SourceRef = OCI, manifests: tuple[dict[str, Any], ...] = (), **spec: Any) -> Node:
    kustomization = Kustomization(ObjectId("flux-system", name), ".", source, (), spec)
    above = ObjectId("flux-system", parent) if parent else None
    return Node(kustomization, NodeState.BUILT, above, manifests=tuple(Manifest(m) for m in manifests))


def graph(*nodes: Node, own: SourceRef = OCI) -> Graph:
    return Graph("local", "k8s", "k8s/clusters/local", nodes, frozenset({own}))


def patches(*nodes: Node, own: SourceRef = OCI) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = bootstrap.root_kustomization(graph(*nodes, own=own), decryption=False)["spec"]["patches"]
    return result


def test_another_kind_of_source_is_rewritten_by_the_roots_patches() -> None:
    (patch,) = patches(node("flux-system", None), node("apps", "flux-system"))
    assert patch["target"] == {"kind": "Kustomization", "name": "apps", "namespace": "flux-system", "group": "kustomize.toolkit.fluxcd.io"}
    assert json.loads(patch["patch"]) == [{"op": "replace", "path": "/spec/sourceRef/kind", "value": "GitRepository"}]


def test_a_grandchild_is_rewritten_by_a_patch_inside_its_parents_patches() -> None:
    (patch,) = patches(node("flux-system", None), node("apps", "flux-system"), node("shop", "apps"))
    added = json.loads(patch["patch"])[1]
    assert added["path"] == "/spec/patches"
    assert added["value"][0]["target"]["name"] == "shop"


def test_patches_that_a_parent_has_already_are_kept() -> None:
    (patch,) = patches(node("flux-system", None), node("apps", "flux-system", patches=[{"patch": "x"}]), node("shop", "apps"))
    assert json.loads(patch["patch"])[1]["path"] == "/spec/patches/-"


def test_a_git_source_needs_no_patch() -> None:
    git = SourceRef("GitRepository", "flux-system", "flux-system")
    assert patches(node("flux-system", None, git), node("apps", "flux-system", git), own=git) == []


def test_the_repositorys_own_source_root_and_flux_do_not_reach_the_cluster() -> None:
    def meta(name: str) -> dict[str, Any]:
        return {"name": name, "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "flux"}}

    source = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": meta("flux-system")}
    root = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": meta("flux-system"),
        "spec": {"path": "./clusters/local", "postBuild": {"substitute": {"a": "b"}}},
    }
    controller = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("source-controller")}
    git = SourceRef("GitRepository", "flux-system", "flux-system")
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "flux-system"}}
    whole = graph(node("flux-system", None, git, (source, root, controller, kept)), own=git)
    made = bootstrap.root_kustomization(whole, decryption=True)
    is_removed = bootstrap.removals(whole)
    assert [manifest.name for manifest in whole.root.manifests if not is_removed(whole.root, manifest)] == ["kept"]
    assert [p["target"] for p in made["spec"]["patches"]] == [
        {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"},
        {"kind": "Kustomization", "name": "flux-system", "namespace": "flux-system"},
        {"labelSelector": "app.kubernetes.io/part-of=flux"},
    ]
    assert made["spec"]["postBuild"] == {"substitute": {"a": "b"}}
    assert made["spec"]["path"] == "./clusters/local"
    assert made["spec"]["decryption"]["secretRef"]["name"] == "sops-age"


def test_the_snapshots_source_takes_what_the_repositorys_own_source_takes() -> None:
    def spec(own: dict[str, Any], kind: str = "GitRepository", name: str = "flux-system") -> dict[str, Any]:
        metadata = {"name": name, "namespace": "flux-system"}
        source = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": metadata, "spec": {"url": "u"} | own}
        made = graph(node("flux-system", None, manifests=(source,)))
        result: dict[str, Any] = bootstrap.git_repository(made, ObjectId("flux-system", "flux-system"), "http://here", "main")["spec"]
        return {key: result[key] for key in ("ignore", "sparseCheckout") if key in result}

    both = {"ignore": "/docs", "sparseCheckout": ["apps"]}
    assert spec(both) == both
    assert spec(both, "OCIRepository") == {"ignore": "/docs"}
    assert spec(both, name="other") == spec({"include": [{"repository": {"name": "x"}}]}) == {}


def test_roles_are_bound_to_the_service_account_of_their_controller() -> None:
    roles = [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "manager-role"}, "rules": []},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "unused"}, "rules": []},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "manager"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "manager-role"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "system"}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "admin"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [],
        },
    ]
    role, manager, admin = bootstrap.rbac("helm-controller", roles)
    assert role["metadata"]["name"] == manager["roleRef"]["name"] == "helm-controller-manager-role"
    assert manager["subjects"] == [{"kind": "ServiceAccount", "name": "helm-controller", "namespace": "flux-system"}]
    assert admin["roleRef"]["name"] == "cluster-admin"


def test_keys_go_wherever_a_kustomization_looks_for_them_unless_the_repository_makes_that_secret() -> None:
    rendered = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": "flux-system"}}
    nodes = (
        node("flux-system", None, manifests=(rendered,)),
        node("a", "flux-system", decryption={"provider": "sops", "secretRef": {"name": "team-keys"}}),
        node("b", "flux-system", decryption={"provider": "sops", "secretRef": {"name": "own"}}),
        node("c", "flux-system", decryption={"provider": "sops"}),
    )
    assert bootstrap.keys_secrets(graph(*nodes)) == (ObjectId("flux-system", "sops-age"), ObjectId("flux-system", "team-keys"))
