"""The values of HelmReleases, as helm-controller would put them together."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from .charts import TEMPLATE, Render, data, settings


@pytest.mark.parametrize(
    ("files", "spec", "colour"),
    [
        ({}, {"values": {"colour": "blue"}}, "blue"),
        ({"more.yaml": "colour: green\n"}, {"chart": {"valuesFiles": ["more.yaml"]}}, "green"),
        ({}, {"chart": {"valuesFiles": ["chart/values.yaml", "gone.yaml"], "ignoreMissingValuesFiles": True}}, "red"),
        (
            {"apps/v.yaml": settings(**{"values.yaml": "colour: pink\nsize: 1\n"})},
            {"valuesFrom": [{"kind": "ConfigMap", "name": "values"}]},
            "pink",
        ),
        (
            {"apps/v.yaml": settings(**{"values.yaml": "colour: pink\n"})},
            {"valuesFrom": [{"kind": "ConfigMap", "name": "values"}], "values": {"colour": "blue"}},
            "blue",
        ),
        (
            {"apps/v.yaml": settings(which="white")},
            {
                "valuesFrom": [{"kind": "ConfigMap", "name": "values", "valuesKey": "which", "targetPath": "colour"}],
                "values": {"size": "x"},
            },
            "white",
        ),
        ({}, {"valuesFrom": [{"kind": "ConfigMap", "name": "gone", "optional": True}]}, "red"),
    ],
)
def test_values_are_put_together_in_the_order_of_helm_controller(
    render: Render, files: dict[str, Any], spec: dict[str, Any], colour: str
) -> None:
    assert data(render(files, **spec))["colour"] == colour


SECRET = "hunter2-and-more"


def test_values_of_secrets_are_unknown_and_never_shown(render: Render) -> None:
    template = TEMPLATE + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {colour: {{ .Values.colour | b64enc }}}\n"
    files = {"apps/v.yaml": settings("Secret", "stringData", **{"values.yaml": f"colour: {SECRET}\n"}), "chart/templates/a.yaml": template}
    result = render(files, valuesFrom=[{"kind": "Secret", "name": "values"}])
    assert {built["body"]["kind"]: built["unknown"] for built in result["objects"]} == {
        "Secret": ["/data/colour"],
        "ConfigMap": ["/data/colour"],
    }
    assert {built["body"]["data"]["colour"] for built in result["objects"]} == {"${colour}", base64.b64encode(b"${colour}").decode()}
    assert not {SECRET, base64.b64encode(SECRET.encode()).decode()} & set(json.dumps(result).split('"'))


def test_a_list_counts_as_its_items(render: Render) -> None:
    listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}\n" for name in "ab"
    )
    built = render({"chart/templates/a.yaml": listed})["objects"]
    assert [(each["body"]["metadata"]["name"], each["origin"]) for each in built] == [
        ("a", "chart/templates/a.yaml"),
        ("b", "chart/templates/a.yaml"),
    ]


@pytest.mark.parametrize(
    ("spec", "kinds"),
    [
        ({"values": {"n": 3, "big": 1048576}}, "float64 1.048576e+06"),
        (
            {"valuesFrom": [{"kind": "ConfigMap", "name": "values", "valuesKey": name, "targetPath": name} for name in ("n", "big")]},
            "int64 1048576",
        ),
    ],
)
def test_numbers_are_those_of_helm_controller(render: Render, spec: dict[str, Any], kinds: str) -> None:
    template = TEMPLATE.replace(".Values.colour | quote", 'printf "%s %v" (kindOf .Values.n) .Values.big')
    files = {"chart/templates/a.yaml": template, "apps/v.yaml": settings(n="3", big="1048576")}
    assert data(render(files, **spec))["colour"] == kinds


def test_a_value_that_helm_cannot_set_is_told_in_its_words(render: Render) -> None:
    values = [{"kind": "ConfigMap", "name": "values", "valuesKey": "hosts", "targetPath": "colour"}]
    failure = render({"apps/v.yaml": settings(hosts="a:1,b:2")}, valuesFrom=values)["failure"]
    assert failure["message"] == 'hosts of ConfigMap values cannot be set at colour: key "b:2" has no value'
    assert (failure["field"], "literal: true" in failure["hint"]) == (["spec", "valuesFrom", 0], True)
    assert data(render(valuesFrom=[values[0] | {"literal": True}]))["colour"] == "a:1,b:2"
    assert render(valuesFrom=[values[0] | {"targetPath": "colour[-1]"}])["failure"]["hint"].startswith("correct targetPath: ")


@pytest.mark.parametrize(
    ("included", "kind"), [({"vendor": "GitRepository/shared"}, "unknown"), ({"vendor2": "GitRepository/shared"}, "missing")]
)
def test_a_values_file_from_elsewhere_is_unknown(render: Render, included: Mapping[str, str], kind: str) -> None:
    assert render(included=included, chart={"valuesFiles": ["vendor/values.yaml"]})["failure"]["kind"] == kind


def test_values_are_checked_against_a_schema_with_the_usual_address(render: Render) -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"colour": {"type": "number"}}}
    assert "want number" in render({"chart/values.schema.json": json.dumps(schema)})["failure"]["message"]
    fetched = {"chart/values.schema.json": json.dumps({"$ref": "https://example.invalid/schema.json"})}
    assert data(render(fetched))["colour"] == "red"
