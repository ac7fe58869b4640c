"""Findings name what set the field: a patch, or a setting of a kustomization file or a release; else they are in the object's own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from .provenance import (
    COMPONENT,
    FLUX,
    IN_PATCH,
    INLINE,
    INLINE_REPLACE,
    KUSTOMIZATION,
    MERGE,
    OPERATION,
    REPLACE,
    TARGET,
    WEB,
    Check,
    apps,
    locations,
)

SHAPES = {
    "a merge in a file": ({"apps/patch.yaml": MERGE}, "patches: [{path: patch.yaml}]\n", "apps/patch.yaml:9", IN_PATCH),
    "a merge in a file of several": (
        {"apps/patch.yaml": MERGE.replace("web:latest", "web:2") + "---\n" + MERGE.replace("spec:\n  template", "spec:\n\n  template")},
        "patches: [{path: patch.yaml}]\n",
        "apps/patch.yaml:20",
        IN_PATCH,
    ),
    "an inline merge": ({}, "patches:\n  - patch: |\n" + INLINE, "apps/kustomization.yaml:14", IN_PATCH),
    "an inline merge with a target": ({}, "patches:\n  - patch: |-\n" + INLINE + TARGET, "apps/kustomization.yaml:14", IN_PATCH),
    "operations in a file": ({"apps/p.yaml": REPLACE}, "patches:\n  - path: p.yaml\n" + TARGET, "apps/p.yaml:3", IN_PATCH),
    "inline operations": ({}, "patches:\n  - patch: |\n" + INLINE_REPLACE + TARGET, "apps/kustomization.yaml:8", IN_PATCH),
    "operations as JSON": (
        {"apps/p.json": OPERATION},
        "patches:\n  - path: p.json\n" + TARGET,
        "apps/p.json:4",
        IN_PATCH,
    ),
    "patchesStrategicMerge, a file": ({"apps/p.yaml": MERGE}, "patchesStrategicMerge: [p.yaml]\n", "apps/p.yaml:9", IN_PATCH),
    "patchesStrategicMerge, inline": ({}, "patchesStrategicMerge:\n  - |\n" + INLINE, "apps/kustomization.yaml:14", IN_PATCH),
    "patchesJson6902": (
        {"apps/p.yaml": REPLACE},
        "patchesJson6902:\n  - path: p.yaml\n    target: {group: apps, version: v1, kind: Deployment, name: web}\n",
        "apps/p.yaml:3",
        IN_PATCH,
    ),
    "images": (
        {},
        "images:\n  - name: example.org/web\n    newName: example.org/other\n    newTag: latest\n",
        "apps/kustomization.yaml:7",
        "images for the object in apps/base/web.yaml:14",
    ),
    "images after a patch": (
        {"apps/p.yaml": MERGE.replace("latest", "1")},
        "patches: [{path: p.yaml}]\nimages: [{name: example.org/web, newTag: latest}]\n",
        "apps/kustomization.yaml:5",
        "images for the object in apps/base/web.yaml:14",
    ),
    "a component": (
        {"apps/c/kustomization.yaml": COMPONENT + "patches: [{path: p.yaml}]\n", "apps/c/p.yaml": MERGE},
        "components: [c]\n",
        "apps/c/p.yaml:9",
        IN_PATCH,
    ),
    "the last of two patches": (
        {"apps/a.yaml": MERGE, "apps/b.yaml": MERGE},
        "patches: [{path: a.yaml}, {path: b.yaml}]\n",
        "apps/b.yaml:9",
        IN_PATCH,
    ),
    "a name with a prefix": (
        {"apps/p.yaml": MERGE},
        "namePrefix: dev-\npatches: [{path: p.yaml}]\n",
        "apps/p.yaml:9",
        IN_PATCH,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_finding_is_where_the_field_is_set(shape: str, check: Check) -> None:
    files, settings, place, related = SHAPES[shape]
    assert locations(check("images/latest", {"apps/kustomization.yaml": apps(settings), **files})) == [f"{place} {related}"]


UNTOUCHED = {
    "no patch": "",
    "a patch of another object": "patches:\n  - patch: |\n" + INLINE_REPLACE + "    target: {kind: Deployment, name: other}\n",
    "a patch of another field": (
        "patches:\n  - patch: |\n      - {op: replace, path: /spec/replicas, value: 2}\n    target: {kind: Deployment}\n"
    ),
    "images of another name": "images: [{name: example.org/webs, newTag: latest}]\n",
    "a patch that images overrule": "labels: [{pairs: {team: blue}}]\n",
}


@pytest.mark.parametrize("shape", UNTOUCHED)
def test_a_finding_that_nothing_else_set_is_in_the_objects_own_file(shape: str, check: Check) -> None:
    files = {"apps/base/web.yaml": WEB.replace("web:1.0", "web:latest"), "apps/kustomization.yaml": apps(UNTOUCHED[shape])}
    assert locations(check("images/latest", files)) == ["apps/base/web.yaml:14"]


def test_two_overlays_have_their_own_patches(check: Check) -> None:
    files = {
        "apps/base/kustomization.yaml": apps("", "web.yaml"),
        "apps/a/kustomization.yaml": apps("nameSuffix: -a\npatches: [{path: p.yaml}]\n", "../base"),
        "apps/b/kustomization.yaml": apps("nameSuffix: -b\npatches: [{path: p.yaml}]\n", "../base"),
        "apps/a/p.yaml": MERGE,
        "apps/b/p.yaml": MERGE.replace("latest", "2"),
        "apps/kustomization.yaml": apps("", "a, b"),
    }
    assert locations(check("images/latest", files)) == [f"apps/a/p.yaml:9 {IN_PATCH}"]


def test_a_container_that_a_patch_adds_is_in_the_patch(check: Check) -> None:
    sidecar = MERGE.replace("name: web\n          image: example.org/web:latest", "name: side\n          image: example.org/side:1")
    later = sidecar.replace("side:1", "side:2")
    files = {"apps/a.yaml": sidecar, "apps/b.yaml": later, "apps/kustomization.yaml": apps("patches: [{path: a.yaml}, {path: b.yaml}]\n")}
    found = check("resources/requests", files)
    assert locations(found) == ["apps/a.yaml:8 a patch for the object in apps/base/web.yaml:12"]


LIMITS = "/spec/template/spec/containers/0/resources"


TAKEN = [
    (f"- op: remove\n  path: {LIMITS}\n", 1),
    (f"- op: test\n  path: /kind\n  value: Deployment\n- op: remove\n  path: {LIMITS}/limits\n", 4),
    (MERGE.replace("image: example.org/web:latest", "resources: null"), 9),
    (MERGE.replace("image: example.org/web:latest", "resources: {$patch: replace, requests: {cpu: 1m, memory: 1Mi}}"), 9),
]


@pytest.mark.parametrize(("patch", "line"), TAKEN)
def test_a_field_that_a_patch_removes_is_missing_in_the_patch(patch: str, line: int, check: Check) -> None:
    files = {"apps/p.yaml": patch, "apps/kustomization.yaml": apps("patches:\n  - path: p.yaml\n" + TARGET)}
    assert locations(check("resources/limits", files)) == [f"apps/p.yaml:{line} a patch for the object in apps/base/web.yaml:17"]


def test_a_label_is_where_it_is_added(check: Check) -> None:
    settings = 'labels:\n  - pairs:\n      team: blue\n      "no good": "1"\n    includeSelectors: false\n'
    assert locations(check("labels/syntax", {"apps/kustomization.yaml": apps(settings)})) == [
        "apps/kustomization.yaml:7 labels for the object in apps/base/web.yaml:3"
    ]


def test_a_namespace_is_where_it_is_chosen(check: Check) -> None:
    found = check("graph/namespace-missing", {"apps/kustomization.yaml": apps("namespace: nowhere\n")})
    assert locations(found) == ["apps/kustomization.yaml:4 namespace for the object in apps/base/web.yaml:5"]


def test_a_number_of_replicas_is_found(check: Check) -> None:
    files = {"apps/kustomization.yaml": apps("replicas:\n  - name: web\n    count: -1\n")}
    assert locations(check("schema/invalid-value", files)) == ["apps/kustomization.yaml:6 replicas for the object in apps/base/web.yaml:7"]


def test_a_replacement_is_one_entry(check: Check) -> None:
    settings = """\
replacements:
  - source: {kind: ConfigMap, name: versions, fieldPath: data.web}
    targets:
      - select: {kind: Deployment}
        fieldPaths: [spec.template.spec.containers.0.image]
"""
    versions = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: versions, namespace: default}\ndata: {web: 'example.org/web:latest'}\n"
    files = {"apps/versions.yaml": versions, "apps/kustomization.yaml": apps(settings, "base/web.yaml, versions.yaml")}
    assert locations(check("images/latest", files)) == ["apps/kustomization.yaml:5 replacements for the object in apps/base/web.yaml:14"]


@pytest.mark.parametrize(
    ("prefix", "place"), [("Dev_", "apps/kustomization.yaml:4 namePrefix for the object in apps/base/web.yaml:4"), ("a-", "")]
)
def test_a_prefix_is_named_where_it_alone_is_wrong(prefix: str, place: str, check: Check) -> None:
    found = locations(check("naming/invalid", {"apps/kustomization.yaml": apps(f"namePrefix: {prefix}\n")}))
    assert found == ([place] if place else [])


def test_a_wrong_name_with_a_good_prefix_is_in_its_file(check: Check) -> None:
    files = {
        "apps/base/web.yaml": WEB.replace("name: web\n  namespace", "name: We_b\n  namespace"),
        "apps/kustomization.yaml": apps("namePrefix: a-\n"),
    }
    assert locations(check("naming/invalid", files)) == ["apps/base/web.yaml:4"]


def flux(text: str) -> str:
    return FLUX + "".join(f"  {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("with_file", [True, False])
def test_a_patch_of_the_kustomization_is_in_its_file(with_file: bool, check: Check) -> None:
    files = {"cluster/apps.yaml": flux("patches:\n  - patch: |\n" + INLINE_REPLACE + TARGET)}
    if with_file:
        files["apps/kustomization.yaml"] = apps("")
    assert locations(check("images/latest", files)) == [f"cluster/apps.yaml:19 {IN_PATCH}"]


def test_images_namespace_and_metadata_of_the_kustomization_are_in_its_file(check: Check) -> None:
    files = {"cluster/apps.yaml": flux("targetNamespace: nowhere\nimages:\n  - name: example.org/web\n    newTag: latest")}
    assert locations(check("images/latest", files)) == ["cluster/apps.yaml:18 images for the object in apps/base/web.yaml:14"]
    assert locations(check("graph/namespace-missing", files)) == ["cluster/apps.yaml:15 namespace for the object in apps/base/web.yaml:5"]
    files = {"cluster/apps.yaml": flux("commonMetadata:\n  labels:\n    team: 'not good'")}
    assert locations(check("labels/syntax", files)) == ["cluster/apps.yaml:17 commonMetadata for the object in apps/base/web.yaml:3"]


def test_a_patch_that_a_parent_puts_into_the_kustomization_is_in_the_parents_file(check: Check) -> None:
    patch = "- op: add\n  path: /spec/patches\n  value:\n    - target: {kind: Deployment}\n      patch: |\n" + "".join(
        f"        {line}\n" for line in REPLACE.splitlines()
    )
    kustomization = f"{KUSTOMIZATION}resources: [apps.yaml]\npatches:\n  - path: p.yaml\n    target: {{kind: Kustomization}}\n"
    files = {"cluster/kustomization.yaml": kustomization, "cluster/p.yaml": patch}
    assert locations(check("images/latest", files)) == [f"cluster/p.yaml:8 {IN_PATCH}"]


def test_a_field_of_a_patched_kustomization_is_in_the_patch(check: Check) -> None:
    patch = "- op: replace\n  path: /spec/path\n  value: ./nowhere\n"
    kustomization = f"{KUSTOMIZATION}resources: [apps.yaml]\npatches:\n  - path: p.yaml\n    target: {{kind: Kustomization}}\n"
    files = {"cluster/kustomization.yaml": kustomization, "cluster/p.yaml": patch}
    assert locations(check("graph/path-missing", files)) == ["cluster/p.yaml:3 a patch for the object in cluster/apps.yaml:11"]


def test_a_generated_object_is_where_its_key_is_given(check: Check) -> None:
    settings = "configMapGenerator:\n  - name: other\n    namespace: default\n    literals: [a=b]\n  - name: c\n    namespace: default\n"
    settings += "    literals:\n      - fine=1\n      - 'no good=1'\n"
    assert locations(check("naming/data-key", {"apps/kustomization.yaml": apps(settings)})) == ["apps/kustomization.yaml:12"]


def test_the_next_run_gives_the_same_until_a_file_changes(check: Check, tmp_path: Path) -> None:
    files = {"apps/p.yaml": MERGE, "apps/kustomization.yaml": apps("patches: [{path: p.yaml}]\n")}
    first, second = (check("images/latest", files, tmp_path / "store") for _ in range(2))
    assert locations(first) == locations(second) == [f"apps/p.yaml:9 {IN_PATCH}"]
    files["apps/p.yaml"] = "# a line more\n" + MERGE
    assert locations(check("images/latest", files, tmp_path / "store")) == [f"apps/p.yaml:10 {IN_PATCH}"]
