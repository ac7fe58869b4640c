"""Findings name what set the field: a patch, or a setting of a kustomization file or a release; else they are in the object's own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic
from devloop.lint.run import validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.org/web:1.0
          resources:
            requests: {cpu: 1m, memory: 1Mi}
            limits: {cpu: 1m, memory: 1Mi}
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  timeout: 1m
  prune: true
  wait: true
  path: ./apps
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
MERGE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  template:
    spec:
      containers:
        - name: web
          image: example.org/web:latest
"""
OPERATION = """\
[
 {"op": "add", "path": "/spec/template/spec/containers/0",
  "value": {"name": "web",
   "image": "web:latest"}}
]
"""
REPLACE = """\
- op: replace
  path: /spec/template/spec/containers/0/image
  value: example.org/web:latest
"""

Check = Callable[..., list[Diagnostic]]


@pytest.fixture
def check(worker_program: Path, tmp_path: Path) -> Check:
    """Writes files and validates the environment whose entry path is cluster/; gives what one rule finds."""

    def check(rule: str, files: Mapping[str, str], store: Path | None = None) -> list[Diagnostic]:
        for name, text in {"cluster/apps.yaml": FLUX, "apps/base/web.yaml": WEB, **files}.items():
            path = tmp_path / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = tmp_path / "repository"
        definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
        with Worker(worker_program, root, store=store) as worker:
            report = validate(LintScope(root, (Environment("local", root, definition),)), worker)
        return [finding for finding in report.findings if finding.rule == rule]

    return check


def apps(text: str, base: str = "base/web.yaml") -> str:
    return f"{KUSTOMIZATION}resources: [{base}]\n{text}"


def locations(findings: list[Diagnostic]) -> list[str]:
    return [f"{finding.path}:{finding.line} {' '.join(map(str, finding.related))}".strip() for finding in findings]


IN_PATCH = "a patch for the object in apps/base/web.yaml:14"
INLINE = "".join(f"      {line}\n" for line in MERGE.splitlines())
INLINE_REPLACE = "".join(f"      {line}\n" for line in REPLACE.splitlines())
TARGET = "    target: {kind: Deployment, name: web}\n"

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


# -- added and removed fields --------------------------------------------------------------------------------------------------------------


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


# -- what Flux adds -----------------------------------------------------------------------------------------------------------------------


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


# -- generators, and the next run ---------------------------------------------------------------------------------------------------------


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


# -- kustomize's transformers --------------------------------------------------------------------------------------------------------------


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


# -- HelmReleases --------------------------------------------------------------------------------------------------------------------------

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: default
spec:
  interval: 10m
  chart:
    spec:
      chart: ./chart
      sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
"""
TEMPLATE = WEB.replace("  namespace: default\n", "").replace("example.org/web:1.0", "{{ .Values.image }}")
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "chart/values.yaml": "image: example.org/web:1.0\n",
    "chart/templates/web.yaml": TEMPLATE,
}


def release(text: str) -> dict[str, str]:
    """A chart, and a HelmRelease in apps/base/web.yaml with more in its spec, from line 12 on."""
    return CHART | {"apps/base/web.yaml": RELEASE + "".join(f"  {line}\n" for line in text.splitlines())}


def renderer(text: str) -> str:
    return "postRenderers:\n  - kustomize:\n" + "".join(f"      {line}\n" for line in text.splitlines())


IN_CHART = "for the object in chart/templates/web.yaml"
RENDERED = {
    "an inline merge": (
        "images/latest",
        renderer("patches:\n  - patch: |\n" + INLINE.replace(", namespace: default", "")),
        24,
        "a patch",
        13,
    ),
    "an inline operation": ("images/latest", renderer("patches:\n  - patch: |\n" + INLINE_REPLACE + TARGET), 18, "a patch", 13),
    "an image": ("images/latest", renderer("images:\n  - name: example.org/web\n    newTag: latest"), 16, "images", 13),
    "the second of two": (
        "images/latest",
        renderer("images: [{name: example.org/web, newTag: '2'}]") + "  - kustomize: {images: [{name: example.org/web, newTag: latest}]}\n",
        15,
        "images",
        13,
    ),
    "what an operation takes away": (
        "resources/limits",
        renderer(f"patches:\n  - patch: |\n      - {{op: remove, path: {LIMITS}}}\n{TARGET}"),
        16,
        "a patch",
        16,
    ),
    "a label": ("labels/syntax", "commonMetadata:\n  labels:\n    team: not good\n", 14, "commonMetadata", 3),
    "a namespace": ("graph/namespace-missing", "targetNamespace: nowhere\n", 12, "targetNamespace", 3),
    "a value": ("images/latest", "values:\n  image: web:latest\n", 13, "values", 13),
}


@pytest.mark.parametrize("shape", RENDERED)
def test_a_field_that_a_release_sets_is_in_its_file(shape: str, check: Check) -> None:
    rule, text, line, what, own = RENDERED[shape]
    assert locations(check(rule, release(text))) == [f"apps/base/web.yaml:{line} {what} {IN_CHART}:{own}"]


@pytest.mark.parametrize("text", ["", "values: {other: web:latest, image: null}\n", renderer("images: [{name: other, newTag: latest}]")])
def test_a_field_that_a_chart_sets_is_in_the_chart(text: str, check: Check) -> None:
    files = release(text) | {"chart/templates/web.yaml": TEMPLATE.replace("{{ .Values.image }}", "web:latest")}
    assert locations(check("images/latest", files)) == ["chart/templates/web.yaml:13"]


def test_a_value_that_is_a_part_of_a_field_is_not_named(check: Check) -> None:
    files = release("values: {tag: latest}\n") | {
        "chart/templates/web.yaml": TEMPLATE.replace(".Values.image }}", '"web" }}:{{ .Values.tag }}')
    }
    assert locations(check("images/latest", files)) == ["chart/templates/web.yaml:13"]


def test_a_patched_field_of_a_release_is_in_the_patch(check: Check) -> None:
    text = "".join(f"            {line}\n" for line in REPLACE.splitlines())
    patch = f"""\
- op: add
  path: /spec/postRenderers
  value:
    - kustomize:
        patches:
        - target: {{kind: Deployment}}
          patch: |
{text}"""
    settings = "patches:\n  - path: p.yaml\n    target: {kind: HelmRelease}\n"
    files = release("") | {"apps/p.yaml": patch, "apps/kustomization.yaml": apps(settings)}
    assert locations(check("images/latest", files)) == ["apps/p.yaml:10 a patch for the object in chart/templates/web.yaml:13"]


def test_two_releases_of_a_chart_have_their_own_values(check: Check) -> None:
    first = RELEASE + "  values: {image: web:1}\n"
    second = RELEASE.replace("name: web\n  namespace: default", "name: other\n  namespace: other") + "  values: {image: web:latest}\n"
    found = check("images/latest", CHART | {"apps/base/web.yaml": f"{first}---\n{second}"})
    assert locations(found) == [f"apps/base/web.yaml:25 values {IN_CHART}:13"]


STRANGE = ["postRenderers: [1, {kustomize: 2}, null]", "postRenderers: [{kustomize: {patches: 1}}]", "values: [1]", "commonMetadata: [a]"]


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_release_names_nothing(text: str, check: Check) -> None:
    found = check("images/latest", release(text) | {"chart/templates/web.yaml": TEMPLATE.replace("{{ .Values.image }}", "web:latest")})
    assert locations(found) in ([], ["chart/templates/web.yaml:13"])


def test_the_next_run_knows_the_release_and_what_changed_in_it(check: Check, tmp_path: Path) -> None:
    text = "values:\n  image: web:latest\n"
    first, second = (check("images/latest", release(text), tmp_path / "store") for _ in range(2))
    assert locations(first) == locations(second) == [f"apps/base/web.yaml:13 values {IN_CHART}:13"]
    assert locations(check("images/latest", release("# a line\n" + text), tmp_path / "store")) == [
        f"apps/base/web.yaml:14 values {IN_CHART}:13"
    ]
