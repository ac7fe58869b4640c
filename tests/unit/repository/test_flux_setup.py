"""How a repository sets up Flux decides how its Kustomizations are built."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.flux.graph import FailureKind, NodeState
from devloop.model.flux.setup import FluxSetup, read_setup

from .graphs import Survey, flux, named, settings

GATE = "--feature-gates=StrictPostBuildSubstitutions=false"
PATCH = [{"target": {"kind": "Deployment", "name": "kustomize-controller"}, "patch": f"- op: add\n  path: /spec/args/-\n  value: {GATE}\n"}]
OWN_PATCH = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kustomize-controller}\n"
    f"spec: {{template: {{spec: {{containers: [{{name: manager, args: ['{GATE}']}}]}}}}}}\n"
)
# Ten times ten times ... the same list.
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
GREETING = settings("greeting", text="hello ${WHO}")


def instance(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "fluxcd.controlplane.io/v1",
        "kind": "FluxInstance",
        "metadata": {"name": "flux", "namespace": "flux-system"},
        "spec": spec,
    }


def deployment(version: str, *args: str, image: str = "") -> dict[str, Any]:
    metadata = {"name": "kustomize-controller", "namespace": "flux-system", "labels": {"app.kubernetes.io/version": version}}
    pod = {"containers": [{"name": "manager", "args": list(args), "image": image}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": pod}}}


def chart(**values: Any) -> dict[str, Any]:
    metadata = {"name": "flux-instance", "namespace": "flux-system"}
    spec = {"interval": "1h", "values": {"instance": values}, "chartRef": {"kind": "OCIRepository", "name": "flux-instance"}}
    return {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("setup", "strict"),
    [
        ([], True),
        ([instance(distribution={"version": "2.9.x"})], True),
        ([instance(distribution={"version": "2.x"})], True),
        ([instance(distribution={"version": "2.8.x"})], False),
        ([instance(distribution={"version": "2.9.x"}, kustomize={"patches": PATCH})], False),
        ([instance(kustomize={"patches": [{**PATCH[0], "target": {"kind": "Deployment", "name": "helm-controller"}}]})], True),
        ([chart(distribution={"version": "2.8.x"})], False),
        ([settings("values", **{"values.yaml": "instance:\n  distribution: {version: 2.8.x}\n"})], False),
        ([instance(kustomize={"patches": [{"patch": OWN_PATCH}]})], False),
        ([instance(kustomize={"patches": [{"patch": OWN_PATCH.replace("kustomize-c", "helm-c")}]})], True),
        ([instance(kustomize={"patches": [{"patch": BOMB}]})], True),
        ([deployment("v2.8.8")], False),
        ([deployment("", image="ghcr.io/fluxcd/kustomize-controller:v1.8.5")], False),
        ([deployment("", image="registry.example.com/kustomize-controller:v1.9.6@sha256:" + "0" * 64)], True),
        ([deployment("v2.9.0", GATE)], False),
        ([deployment("v2.8.8", "--feature-gates=StrictPostBuildSubstitutions=true")], True),
    ],
)
def test_versions_and_gates_decide_whether_a_variable_needs_a_value(repository: Any, look: Survey, setup: list[Any], strict: bool) -> None:
    graph = look(
        repository(
            {"cluster/apps.yaml": flux("apps", postBuild={"substitute": {"a": "b"}}), "apps/a.yaml": GREETING, "cluster/setup.yaml": setup}
        )
    )
    apps = named(graph, "apps")
    assert apps.state is (NodeState.FAILED if strict else NodeState.BUILT)
    assert apps.failure is None or apps.failure.kind is FailureKind.UNDEFINED
    if not strict:
        assert apps.manifests[0].mapping("data") == {"text": "hello"}


def test_what_a_later_kustomization_sets_up_counts_for_all(repository: Any, look: Survey) -> None:
    files = {
        "cluster/apps.yaml": flux("apps", postBuild={"substitute": {"a": "b"}}),
        "apps/a.yaml": GREETING,
        "cluster/flux.yaml": flux("flux", "./flux"),
        "flux/instance.yaml": chart(kustomize={"patches": PATCH}),
    }
    graph = look(repository(files))
    assert graph.setup.gates == {"StrictPostBuildSubstitutions": "false"}
    assert named(graph, "apps").state is NodeState.BUILT


def test_what_is_behind_an_undefined_variable_is_built_all_the_same(repository: Any, look: Survey) -> None:
    files = {
        "cluster/groups.yaml": flux("groups", "./groups", postBuild={"substitute": {"a": "b"}}),
        "groups/a.yaml": settings("greeting", text="hello ${WHO}", other="${a}"),
        "groups/more.yaml": flux("more"),
        "apps/a.yaml": settings(),
    }
    graph = look(repository(files))
    groups = named(graph, "groups")
    assert (groups.state, groups.failure and groups.failure.variable) == (NodeState.FAILED, "WHO")
    assert groups.manifests[0].mapping("data")["other"] == "b"
    assert named(graph, "more").state is NodeState.BUILT


@pytest.mark.parametrize(("optional", "text"), [(True, "${x:=word}"), (False, "word")])
def test_an_absent_source_alone_substitutes_only_if_it_must_be_there(repository: Any, look: Survey, optional: bool, text: str) -> None:
    source = {"kind": "ConfigMap", "name": "absent", "optional": optional}
    files = {"cluster/apps.yaml": flux("apps", postBuild={"substituteFrom": [source]}), "apps/a.yaml": settings(value="${x:=word}")}
    assert named(look(repository(files)), "apps").manifests[0].mapping("data") == {"value": text}


def test_a_kustomization_that_applies_itself_changes_itself(repository: Any, look: Survey) -> None:
    """Its own variables come into its own definition in a second round, under whatever name."""
    variables = {"substitute": {"NUMBER": "00", "NAME": "blue-${NUMBER}"}}
    graph = look(
        repository({"cluster/root.yaml": flux("fleet", "./cluster", postBuild=variables), "cluster/a.yaml": settings("settings-${NAME}")})
    )
    assert [str(node.kustomization.id) for node in graph] == ["flux-system/fleet"]
    assert {manifest.name for manifest in graph.root.manifests} == {"fleet", "settings-blue-00"}


def test_a_root_that_breaks_itself_is_told_at_its_own_file(repository: Any, look: Survey) -> None:
    root = flux("fleet", "./cluster", patches=[{"target": {"kind": "ConfigMap"}, "patch": "[{op: add"}])
    graph = look(repository({"cluster/root.yaml": root, "cluster/a.yaml": settings(), "cluster/flux.yaml": deployment("v2.8.8")}))
    [node] = graph
    assert (str(node.kustomization.id), node.origin.path, node.state) == ("flux-system/fleet", "cluster/root.yaml", NodeState.FAILED)


@pytest.mark.parametrize("name", ["fleet", "flux-system"])
def test_a_root_takes_variables_from_what_it_applies(repository: Any, look: Survey, name: str) -> None:
    source = {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}
    root = flux(name, "./cluster", postBuild=source)
    graph = look(repository({"cluster/root.yaml": root, "cluster/a.yaml": [settings(region="north"), settings("use-${region}")]}))
    assert "use-north" in {manifest.name for manifest in graph.root.manifests}


def test_flags_are_the_last_ones() -> None:
    setup = FluxSetup("v2.9.1", (("feature-gates", "A=true, B=False"), ("sops-age-secret", "keys")))
    assert (setup.gates, setup.age_secret, setup.is_strict) == ({"A": "true", "B": "false"}, "keys", True)


@pytest.mark.parametrize(
    ("cluster", "account"),
    [({}, ""), ({"multitenant": True}, "default"), ({"multitenant": True, "tenantDefaultServiceAccount": "tenants"}, "tenants")],
)
def test_tenants_are_applied_as_an_account(cluster: dict[str, Any], account: str) -> None:
    assert read_setup([instance(cluster=cluster)]).service_account == account


def test_up_runs_the_gates_that_its_controller_knows() -> None:
    setup = FluxSetup("2.8.x", (("feature-gates", "GroupChangeLog=true,FromTheFuture=true"),))
    assert setup.gates_to_run == {"GroupChangeLog": "true", "StrictPostBuildSubstitutions": "false"}


@pytest.mark.parametrize(("version", "differs"), [("v2.8.8", True), ("2.9.x", False), ("2.x", False), ("", False)])
def test_another_minor_version_is_another_flux(version: str, differs: bool) -> None:
    assert FluxSetup(version).differs_from("1.9.6") is differs
