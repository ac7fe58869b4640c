"""Findings in fields that kustomize's transformers set."""

from __future__ import annotations

import pytest

from .provenance import IN_PATCH, MERGE, REPLACE, WEB, Check, apps, locations
from .test_provenance import LIMITS


def transformer(kind: str, text: str) -> str:
    return f"apiVersion: builtin\nkind: {kind}\nmetadata:\n  name: one\n{text}"


DEEPER = "".join(f"  {line}\n" for line in MERGE.splitlines())


OF_WEB = "target: {kind: Deployment, name: web}\n"


LABELS = "labels:\n  team: not good\nfieldSpecs:\n  - path: metadata/labels\n    create: true\n"


TRANSFORMED = {
    "an inline merge": ("images/latest", transformer("PatchTransformer", OF_WEB + "patch: |\n" + DEEPER), 15, "a patch", 14),
    "an operation": (
        "images/latest",
        transformer("PatchTransformer", OF_WEB + "patch: |\n" + "".join(f"  {line}\n" for line in REPLACE.splitlines())),
        9,
        "a patch",
        14,
    ),
    "an operation that takes away": (
        "resources/limits",
        transformer("PatchJson6902Transformer", f'{OF_WEB}jsonOp: |\n  [{{"op": "remove", "path": "{LIMITS}"}}]\n'),
        7,
        "a patch",
        17,
    ),
    "inline merges": ("images/latest", transformer("PatchStrategicMergeTransformer", "patches: |\n" + DEEPER), 14, "a patch", 14),
    "an image": (
        "images/latest",
        transformer("ImageTagTransformer", "imageTag:\n  name: example.org/web\n  newTag: latest\n"),
        7,
        "images",
        14,
    ),
    "a label": ("labels/syntax", transformer("LabelTransformer", LABELS), 6, "labels", 3),
    "a namespace": (
        "graph/namespace-missing",
        transformer("NamespaceTransformer", "  namespace: nowhere\nfieldSpecs: [{path: metadata/namespace, create: true}]\n"),
        5,
        "namespace",
        5,
    ),
    "a prefix": (
        "naming/invalid",
        transformer("PrefixTransformer", "prefix: Dev_\nfieldSpecs: [{path: metadata/name}]\n"),
        5,
        "namePrefix",
        4,
    ),
    "a number of replicas": (
        "schema/invalid-value",
        transformer("ReplicaCountTransformer", "replica: {name: web, count: -1}\nfieldSpecs: [{path: spec/replicas, create: true}]\n"),
        5,
        "replicas",
        7,
    ),
}


@pytest.mark.parametrize("shape", TRANSFORMED)
def test_a_field_that_a_transformer_sets_is_in_its_file(shape: str, check: Check) -> None:
    rule, text, line, what, own = TRANSFORMED[shape]
    files = {"apps/t.yaml": text, "apps/kustomization.yaml": apps("transformers: [t.yaml]\n")}
    assert locations(check(rule, files)) == [f"apps/t.yaml:{line} {what} for the object in apps/base/web.yaml:{own}"]


def test_transformers_come_after_the_rest_and_in_their_order(check: Check) -> None:
    image = transformer("ImageTagTransformer", "imageTag: {name: example.org/web, newTag: latest}\n")
    other = image.replace("name: one", "name: two").replace("latest", '"2"')
    settings = "images: [{name: example.org/web, newTag: '3'}]\ntransformers: [t.yaml]\n"
    files = {"apps/t.yaml": f"{other}---\n{image}", "apps/kustomization.yaml": apps(settings)}
    assert locations(check("images/latest", files)) == ["apps/t.yaml:11 images for the object in apps/base/web.yaml:14"]


def test_an_inline_transformer_is_in_the_kustomization_file(check: Check) -> None:
    text = transformer("ImageTagTransformer", "imageTag: {name: example.org/web, newTag: latest}\n")
    settings = "transformers:\n  - |\n" + "".join(f"    {line}\n" for line in text.splitlines())
    found = locations(check("images/latest", {"apps/kustomization.yaml": apps(settings)}))
    assert found == ["apps/kustomization.yaml:10 images for the object in apps/base/web.yaml:14"]


def test_a_folder_of_transformers_names_patches_relative_to_its_user(check: Check) -> None:
    files = {
        "apps/p.yaml": MERGE,
        "apps/t/kustomization.yaml": apps("", "t.yaml"),
        "apps/t/t.yaml": transformer("PatchTransformer", OF_WEB + "path: p.yaml\n"),
        "apps/kustomization.yaml": apps("transformers: [t]\n"),
    }
    assert locations(check("images/latest", files)) == [f"apps/p.yaml:9 {IN_PATCH}"]


IDLE = [
    transformer("PatchTransformer", f"target: {{kind: Service}}\npatch: |\n{DEEPER}"),
    transformer("ImageTagTransformer", "imageTag: {name: example.org/other, newTag: latest}\n"),
    transformer("ValueAddTransformer", "value: latest\ntargets: [{fieldPath: metadata/annotations/x}]\n"),
    transformer("ReplacementTransformer", "replacements: []\n"),
]


@pytest.mark.parametrize("text", IDLE)
def test_a_transformer_that_does_nothing_is_not_named(text: str, check: Check) -> None:
    files = {
        "apps/base/web.yaml": WEB.replace("web:1.0", "web:latest"),
        "apps/t.yaml": text,
        "apps/kustomization.yaml": apps("transformers: [t.yaml]\n"),
    }
    assert locations(check("images/latest", files)) == ["apps/base/web.yaml:14"]
