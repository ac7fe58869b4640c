"""HelmReleases rendered from charts that lie in the repository, as helm-controller would install them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ..tarballs import tgz
from .charts import CHART, SUB, TEMPLATE, Render, data, release


def test_a_chart_is_rendered_with_its_release(render: Render) -> None:
    result = render()
    assert data(result) == {"colour": "red", "namespace": "apps", "version": "v1.35.2"}
    assert result["objects"][0]["body"]["metadata"] == {"name": "web-settings", "namespace": "apps"}
    assert (result["directory"], result["objects"][0]["origin"]) == ("chart", "chart/templates/a.yaml")


def test_names_and_namespaces_are_those_of_helm_controller(render: Render) -> None:
    built = render(targetNamespace="far")["objects"][0]["body"]
    assert (built["metadata"], built["data"]["namespace"]) == ({"name": "far-web-settings", "namespace": "far"}, "far")
    long = render(releaseName="x" * 60)["objects"][0]["body"]["metadata"]["name"]
    assert long == "x" * 40 + "-" + "42f2d9733566" + "-settings"


@pytest.mark.parametrize(
    ("files", "spec", "kind", "message"),
    [
        (
            {},
            {"valuesFrom": [{"kind": "Secret", "name": "gone"}]},
            "unknown",
            "its values come from Secret gone, which nothing here renders",
        ),
        ({}, {"chart": {"chart": "./gone"}}, "missing", "the chart ./gone does not exist"),
        (
            {
                "chart/Chart.yaml": CHART["chart/Chart.yaml"]
                + "dependencies: [{name: db, version: 1.x, repository: 'https://charts.example.com'}]\n"
            },
            {},
            "remote",
            "the chart's dependency db comes from https://charts.example.com, which is not here",
        ),
        (
            {
                "chart/Chart.yaml": CHART["chart/Chart.yaml"] + "dependencies: [{name: db, version: 1.x, repository: 'file://../db'}]\n",
                "db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 2.0.0\n",
            },
            {},
            "build",
            "the chart requires version 1.x of its dependency db, which has version 2.0.0",
        ),
        (
            {"chart/Chart.yaml": CHART["chart/Chart.yaml"] + "dependencies: [{name: db, version: 1.x}]\n"},
            {},
            "build",
            "the chart's dependency db does not exist at file://charts/db",
        ),
        ({"chart/templates/a.yaml": 'a:\n  b: {{ required "say it" .Values.x }}\n'}, {}, "build", "say it"),
        ({"chart/templates/a.yaml": "{{ if }}\n"}, {}, "build", "missing value for if"),
        (
            {"chart/values.schema.json": '{"properties": {"colour": {"type": "number"}}}'},
            {},
            "build",
            "at '/colour': got string, want number",
        ),
        (
            {"chart/Chart.yaml": CHART["chart/Chart.yaml"] + "kubeVersion: '>=1.99'\n"},
            {},
            "build",
            "the chart is for Kubernetes >=1.99, not for v1.35.2",
        ),
    ],
)
def test_what_does_not_render_is_told_in_plain_words(
    render: Render, files: dict[str, Any], spec: dict[str, Any], kind: str, message: str
) -> None:
    failure = render(files, **spec)["failure"]
    assert failure["kind"] == kind
    assert message in failure["message"]


def test_a_template_that_fails_is_told_at_its_line(render: Render) -> None:
    failure = render({"chart/templates/a.yaml": 'a:\n  b: {{ required "say it" .Values.x }}\n'})["failure"]
    assert (failure["path"], failure["line"], failure["message"]) == ("chart/templates/a.yaml", 2, "say it")


def test_dependencies_come_from_the_repository(render: Render) -> None:
    packed = tgz({"sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n", "sub/templates/b.yaml": SUB})
    wanted = [
        {"name": "sub", "version": "1.0.0", "repository": "https://x"},
        {"name": "near", "version": "1.0.0", "repository": "file://../near"},
    ]
    files = {
        "chart/Chart.yaml": CHART["chart/Chart.yaml"] + yaml.safe_dump({"dependencies": wanted}),
        "chart/charts/sub-1.0.0.tgz": packed,
        "near/Chart.yaml": "apiVersion: v2\nname: near\nversion: 1.0.0\n",
        "near/templates/c.yaml": TEMPLATE.replace("settings", "near"),
        "chart/crds/d.yaml": {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b.c"}},
    }
    result = render(files)
    assert "failure" not in result, result["failure"]
    assert [built["body"]["kind"] for built in result["objects"]] == ["CustomResourceDefinition", *["ConfigMap"] * 3]
    assert {built["origin"] for built in result["objects"]} >= {"chart/crds/d.yaml", "chart/templates/a.yaml"}


def test_post_renderers_patch_what_the_chart_renders(render: Render) -> None:
    patch = {"target": {"kind": "ConfigMap"}, "patch": json.dumps([{"op": "replace", "path": "/data/colour", "value": "patched"}])}
    result = render(postRenderers=[{"kustomize": {"patches": [patch]}}], commonMetadata={"labels": {"team": "blue"}})
    assert data(result)["colour"] == "patched"
    assert result["objects"][0]["body"]["metadata"]["labels"] == {"team": "blue"}
    assert (result["objects"][0]["origin"], "annotations" in result["objects"][0]["body"]["metadata"]) == ("chart/templates/a.yaml", False)


def test_what_a_chart_makes_up_each_time_is_unknown(render: Render) -> None:
    result = render({"chart/templates/a.yaml": TEMPLATE.replace("{{ .Values.colour | quote }}", "{{ randAlphaNum 12 }}")})
    assert data(result)["colour"] == "${generated}"
    assert result["objects"][0]["unknown"] == ["/data/colour"]


def test_charts_know_what_the_cluster_will_serve(render: Render) -> None:
    template = TEMPLATE.replace("{{ .Values.colour | quote }}", '{{ .Capabilities.APIVersions.Has "example.com/v1/Widget" }}')
    files = {"chart/templates/a.yaml": template}
    assert data(render(files, apis=("example.com/v1/Widget",)))["colour"] is True
    assert data(render(files))["colour"] is False


def test_hooks_are_rendered_and_tests_are_not(render: Render) -> None:
    hook = TEMPLATE.replace("metadata:", "metadata:\n  annotations: {helm.sh/hook: %s}")
    names = {"b": "pre-install", "c": "test"}
    files = {f"chart/templates/{name}.yaml": hook.replace("settings", name) % event for name, event in names.items()}
    assert [built["origin"] for built in render(files)["objects"]] == ["chart/templates/a.yaml", "chart/templates/b.yaml"]


PATCH = {
    "kustomize": {"patches": [{"target": {"kind": "ConfigMap"}, "patch": json.dumps([{"op": "add", "path": "/data/x", "value": "y"}])}]}
}


HOOK = TEMPLATE.replace("metadata:", "metadata:\n  annotations: {helm.sh/hook: pre-install}")


@pytest.mark.parametrize("renderers", [[], [PATCH]])
def test_a_hook_named_like_an_object_needs_another_strategy(render: Render, renderers: list[Any]) -> None:
    files = {"chart/templates/hook.yaml": HOOK}
    failure = render(files, postRenderers=renderers)["failure"]
    assert failure["message"] == "the chart renders ConfigMap/web-settings twice, once as a hook"
    for strategy in ("separate", "nohooks"):
        built = render(files, postRenderers=renderers, postRenderStrategy=strategy)["objects"]
        assert [each["origin"] for each in built] == ["chart/templates/a.yaml", "chart/templates/hook.yaml"]
        patched = ["x" in each["body"]["data"] for each in built]
        assert patched == ([bool(renderers), strategy == "separate"] if renderers else [False, False])


def test_an_object_that_is_there_twice_is_told_at_its_template(render: Render) -> None:
    failure = render({"chart/templates/b.yaml": TEMPLATE})["failure"]
    assert (failure["message"], failure["path"]) == ("the chart renders ConfigMap/web-settings twice", "chart/templates/b.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEMPLATE + "  colour: again\n", "the chart renders the key colour twice in one object"),
        ("a: b: c\n", "the template renders invalid YAML"),
    ],
)
def test_a_template_without_valid_yaml_is_told(render: Render, text: str, message: str) -> None:
    failure = render({"chart/templates/a.yaml": text})["failure"]
    assert message in failure["message"]
    assert failure["path"] == "chart/templates/a.yaml"


def test_a_patch_may_replace_all_annotations(render: Render) -> None:
    replaced = json.dumps([{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}])
    renderer = {"kustomize": {"patches": [{"target": {"kind": "ConfigMap"}, "patch": replaced}]}}
    [built] = render(postRenderers=[renderer])["objects"]
    assert (built["body"]["metadata"]["annotations"], built["origin"]) == ({"a": "b"}, "chart/templates/a.yaml")


def test_definitions_in_crds_are_not_post_rendered(render: Render) -> None:
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b.c"}}
    files = {f"chart/crds/{name}.yaml": crd for name in "de"} | {"chart/crds/f.yaml": {**crd, "kind": "Widget"}}
    built = render(files, commonMetadata={"labels": {"team": "blue"}})["objects"]
    assert [(each["origin"], "labels" in each["body"]["metadata"]) for each in built] == [
        ("chart/crds/d.yaml", False),
        ("chart/templates/a.yaml", True),
    ]


def test_yaml_means_what_helm_4_makes_of_it(render: Render) -> None:
    built = render({"chart/templates/a.yaml": TEMPLATE + "  answer: yes\n  letter: y\n  switch: on\n"})
    assert {name: data(built)[name] for name in ("answer", "letter", "switch")} == {"answer": "yes", "letter": "y", "switch": "on"}


@pytest.mark.parametrize(
    ("version", "api", "served"),
    [
        ("v1.36.0", "policy/v1", True),
        ("v1.36.0", "policy/v1/PodDisruptionBudget", True),
        ("v1.36.0", "policy/v1beta1", False),
        ("v1.24.0", "policy/v1beta1/PodDisruptionBudget", True),
        ("v1.36.0", "apiextensions.k8s.io/v1/CustomResourceDefinition", True),
        ("v1.36.0", "networking.k8s.io/v1beta1", False),
        ("v1.36.0", "storage.k8s.io/v1alpha1", False),
        ("v1.36.0", "example.com/v1/Widget", True),
        ("v1.36.0", "example.com/v2", False),
    ],
)
def test_apis_are_those_of_the_version_and_of_the_charts_definitions(render: Render, version: str, api: str, served: bool) -> None:
    template = TEMPLATE.replace("{{ .Values.colour | quote }}", f'{{{{ .Capabilities.APIVersions.Has "{api}" }}}}')
    versions = [{"name": "v1", "served": True}, {"name": "v2", "served": False}]
    spec = {"group": "example.com", "names": {"kind": "Widget"}, "versions": versions}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets"}, "spec": spec}
    built = render({"chart/templates/a.yaml": template, "chart/crds/a.yaml": crd}, version=version)["objects"][1]
    assert built["body"]["data"]["colour"] is served


def test_what_a_chart_looks_up_is_unknown(render: Render) -> None:
    looked_up = '(lookup "v1" "ConfigMap" "apps" "x")'
    render({"chart/templates/a.yaml": TEMPLATE.replace(".Values.colour", f'({looked_up} | default dict).colour | default "none"')})
    failure = render({"chart/templates/a.yaml": TEMPLATE.replace(".Values.colour", f"{looked_up}.data.colour")})["failure"]
    assert failure["kind"] == "unknown"


VERSIONED = {"chart/templates/a.yaml": TEMPLATE.replace(".Values.colour", ".Chart.Version")}


def test_the_revision_becomes_part_of_the_charts_version(render: Render) -> None:
    assert data(render(VERSIONED))["colour"] == "0.1.0"
    assert data(render(VERSIONED, chart={"reconcileStrategy": "Revision"}))["colour"].startswith("0.1.0+")
    assert data(render(VERSIONED, chart={"valuesFiles": ["chart/values.yaml"]}))["colour"] == "0.1.0+1"


def test_a_release_may_refer_to_a_chart_of_the_repository(render: Render) -> None:
    source = {"kind": "GitRepository", "name": "flux-system"}
    spec = {"chart": "chart", "sourceRef": source, "valuesFiles": ["more.yaml"]}
    chart = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmChart",
        "metadata": {"name": "web", "namespace": "far"},
        "spec": spec,
    }
    body = release()
    body["spec"] = {"chartRef": {"kind": "HelmChart", "name": "web", "namespace": "far"}}
    result = render({"apps/chart.yaml": chart, "more.yaml": "colour: green\n", "apps/release.yaml": body})
    assert data(result)["colour"] == "green"


@pytest.mark.parametrize(
    ("target", "problem"),
    [("@artifact/web/", ""), ("@artifact/any-name/", ""), ("@artifact/", "the artifact has no folder with a Chart.yaml")],
)
def test_an_artifact_is_a_packed_chart(render: Render, target: str, problem: str) -> None:
    body = release()
    body["spec"] = {"chartRef": {"kind": "ExternalArtifact", "name": "web"}}
    copies = [{"from": "@repository/chart/**", "to": target}]
    artifact = {"name": "web", "origin": "apps/generator.yaml", "sources": {"repository": "."}, "copy": copies}
    result = render({"apps/release.yaml": body, **VERSIONED}, artifact=artifact)
    if problem:
        assert problem in result["failure"]["message"]
    else:
        assert data(result)["colour"].startswith("0.1.0+")
        assert result["objects"][0]["origin"] == "chart/templates/a.yaml"


WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [{"name": "v1", "served": True}]},
}


WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}}
LATE_WIDGET = {**WIDGET, "metadata": {"name": "one", "annotations": {"helm.sh/hook": "post-install"}}}


@pytest.mark.parametrize(
    ("files", "apis", "works"),
    [
        ({"templates/crd.yaml": WIDGETS, "templates/w.yaml": WIDGET}, (), False),
        ({"templates/crd.yaml": WIDGETS, "templates/w.yaml": LATE_WIDGET}, (), True),
        ({"templates/crd.yaml": WIDGETS, "templates/w.yaml": WIDGET}, ("example.com/v1/Widget",), True),
        ({"crds/crd.yaml": WIDGETS, "templates/w.yaml": WIDGET}, (), True),
    ],
)
def test_a_definition_is_needed_before_the_templates(render: Render, files: dict[str, Any], apis: tuple[str, ...], works: bool) -> None:
    result = render({f"chart/{name}": content for name, content in files.items()}, apis=apis)
    assert ("failure" not in result) is works
    if not works:
        assert result["failure"]["path"] == "chart/templates/w.yaml"
