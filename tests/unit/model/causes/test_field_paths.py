"""Paths of fields in messages of API servers, admission and controllers, as they wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.causes.field_paths import Field, has, mentioned_fields, parse_field, pointer, reached, value_at

SPEC: Field = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            'Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"tier":"web"}}: field is immutable',
            [("spec", "selector")],
        ),
        (
            'Service "web" is invalid: [spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive, '
            "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive]",
            [("spec", "ports", 0, "port"), ("spec", "ports", 0, "targetPort")],
        ),
        (
            "failed to create typed patch object (storefront/storefront-web; apps/v1, Kind=Deployment): "
            ".spec.minReadySeconds: expected numeric (int or float), got string",
            [("spec", "minReadySeconds")],
        ),
        (
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
            '.spec.template.spec.containers[name="web"].resources.limit: field not declared in schema',
            [(*SPEC, "containers", {"name": "web"}, "resources", "limit")],
        ),
        (
            '.spec.template.spec.containers[name="web"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
            [(*SPEC, "containers", {"name": "web"}, "ports")],
        ),
        ('strict decoding error: unknown field "spec.templates"', [("spec", "templates")]),
        (
            'Deployment.apps "web" is invalid: spec.template.spec.containers[0].ports[0].protocol: Unsupported value: "tcp": '
            'supported values: "SCTP", "TCP", "UDP"',
            [(*SPEC, "containers", 0, "ports", 0, "protocol")],
        ),
        (
            'Widget.example.com "w" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
            [("spec", "size")],
        ),
        ('ConfigMap "x" is invalid: data[foo bar]: Invalid value: "foo bar": a valid config key', [("data", "foo bar")]),
        (
            'Ingress "x" is invalid: metadata.annotations[example.com/x]: Invalid value: "y": bad',
            [("metadata", "annotations", "example.com/x")],
        ),
        (
            "ValidatingAdmissionPolicy 'fault' with binding 'fault' denied request: object.spec.replicas must be no more than 3",
            [("spec", "replicas")],
        ),
        (
            "policy require-limits: rule autogen-check failed at path /spec/template/spec/containers/0/resources/limits/",
            [(*SPEC, "containers", 0, "resources", "limits")],
        ),
        ("ValidatingAdmissionPolicy 'fault' with binding 'fault' denied request: the label app must not be denied", []),
        (
            'The Service "x" is invalid: \n* spec.ports[0].name: Required value\n* spec.ports[1].name: Required value',
            [("spec", "ports", 0, "name"), ("spec", "ports", 1, "name")],
        ),
        (
            "failed to create typed patch object (default/bad; apps/v1, Kind=Deployment): errors:\n"
            '  .spec.template.spec.containers[name="web"].imagee: field not declared in schema\n'
            '  .spec.template.spec.containers[name="web"].env[name="A"].value: expected string, got &value.valueUnstructured{Value:1}',
            [(*SPEC, "containers", {"name": "web"}, "imagee"), (*SPEC, "containers", {"name": "web"}, "env", {"name": "A"}, "value")],
        ),
        (
            'The Kustomization "x" is invalid: \n* spec.interval: Invalid value: "often": spec.interval in body should match \'^x$\'\n'
            "* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid",
            [("spec", "interval")],
        ),
        (
            'The Deployment "bad" is invalid: spec.template.spec.containers[0].volumeMounts[0].name: Not found: "nope"',
            [(*SPEC, "containers", 0, "volumeMounts", 0, "name")],
        ),
        ('The Role "x" is invalid: rules[0].verbs: Required value: verbs must contain at least one value', [("rules", 0, "verbs")]),
        ('no matches for kind "Widget" in version "example.com/v1"', []),
    ],
)
def test_the_fields_of_a_message(message: str, fields: list[Field]) -> None:
    assert list(mentioned_fields(message)) == fields


def test_keys_of_lists_and_maps() -> None:
    assert parse_field('a[0]["x.y"].b[k=1,l="m"]') == ("a", 0, "x.y", "b", {"k": "1", "l": "m"})
    assert pointer("/api/0/a~1b~0c") == ("api", 0, "a/b~c")


BODY: dict[str, Any] = {"spec": {"containers": [{"name": "web", "image": "x"}, {"name": "db"}], "ports": [{"port": 1}, {"port": 2}]}}


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (("spec", "containers", 0, "image"), ("spec", "containers", {"name": "web"}, "image")),
        (("spec", "containers", {"name": "db"}, "image"), ("spec", "containers", {"name": "db"})),
        (("spec", "ports", 1, "port"), ("spec", "ports", 1, "port")),
        (("spec", "ports", {"port": "2"}), ("spec", "ports", 1)),
        (("spec", "ports", 7), ("spec", "ports")),
        (("spec", "nothing", "at", "all"), ("spec",)),
        ((), ()),
    ],
)
def test_a_field_is_followed_as_far_as_the_object_has_it(field: Field, found: Field) -> None:
    assert reached(BODY, field) == found
    assert has(BODY, field) is (len(field) == len(found))


def test_items_of_the_same_name_keep_their_index() -> None:
    twice = {"items": [{"name": "a"}, {"name": "a"}]}
    assert reached(twice, ("items", 1, "name")) == ("items", 1, "name")
    assert value_at(twice, ("items", 1, "name")) == "a"
    assert value_at(twice, ("items", 2)) is None
