"""Findings in what HelmReleases render: the release, the chart, or a patch of the release."""

from __future__ import annotations

from pathlib import Path

import pytest

from .provenance import INLINE, INLINE_REPLACE, REPLACE, TARGET, WEB, Check, apps, locations
from .test_provenance import LIMITS

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
