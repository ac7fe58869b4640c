"""Patches whose target matches nothing: only what is certain is reported, at the place of the target's name."""

from __future__ import annotations

from pathlib import Path

from devloop.clients.worker import Worker
from devloop.lint.run import preflight, validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.lint.context import EnvironmentGraph
from devloop.repository.graph import build_graph

from .provenance import COMPONENT, FLUX, KUSTOMIZATION, WEB, Check

RULE = "build/patch-without-target"
BASE = KUSTOMIZATION + "resources: [base]\n"
RESOURCES = {"apps/base/kustomization.yaml": KUSTOMIZATION + "resources: [web.yaml]\n"}
OPERATION = "    patch: |\n      - {op: add, path: /metadata/labels, value: {a: b}}\n"
PATCH = "patches:\n  - target: {kind: Deployment, name: wbe}\n" + OPERATION
REMOVE = "      patch: |\n        - {op: remove, path: /spec}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: names, namespace: flux-system}\nstringData: {NAME: hidden-name}\n"
SHOP = FLUX.replace("name: apps", "name: shop").replace("./apps", "./shop")


def places(check: Check, files: dict[str, str]) -> list[str]:
    return [str(finding) for finding in check(RULE, RESOURCES | files)]


def test_a_name_with_a_slip(check: Check) -> None:
    [finding] = check(RULE, RESOURCES | {"apps/kustomization.yaml": BASE + PATCH})
    assert str(finding) == "apps/kustomization.yaml:5: the patch for Deployment wbe changes nothing: no object matches"
    assert finding.hint == "did you mean web?"


def test_a_target_of_another_version(check: Check) -> None:
    patch = PATCH.replace("wbe", "web, group: apps, version: v1beta1")
    [finding] = check(RULE, RESOURCES | {"apps/kustomization.yaml": BASE + patch})
    assert "Deployment web of apps/v1beta1" in finding.message
    assert finding.hint == "it matches without version"


def test_names_and_namespaces_of_then_and_now_match(check: Check) -> None:
    overlay = "namePrefix: dev-\nnamespace: shop\n" + PATCH.replace("wbe", "web, namespace: default")
    above = "namePrefix: my-\nresources: [../over]\n" + PATCH.replace("wbe", "dev-web, namespace: shop")
    files = {
        "apps/over/kustomization.yaml": KUSTOMIZATION + "resources: [../base]\n" + overlay,
        "apps/top/kustomization.yaml": KUSTOMIZATION + above,
    }
    assert places(check, files | {"cluster/apps.yaml": FLUX.replace("./apps", "./apps/top")}) == []


def test_what_a_patch_deletes_or_renames_was_matched(check: Check) -> None:
    delete = "    patch: |\n      {$patch: delete, apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}\n"
    rename = "    patch: |\n      - {op: replace, path: /metadata/name, value: other}\n"
    target = "  - target: {kind: Deployment, name: web}\n"
    files = {
        "apps/base/kustomization.yaml": KUSTOMIZATION + "resources: [web.yaml, made.yaml]\n",
        "apps/base/made.yaml": WEB.replace("name: web\n", "name: made\n", 1),
        "apps/kustomization.yaml": BASE + "patches:\n" + target + rename + target + delete + target.replace("web", "gone") + delete,
    }
    assert places(check, files) == ["apps/kustomization.yaml:11: the patch for Deployment gone changes nothing: no object matches"]


def test_one_match_is_enough_for_a_component(check: Check) -> None:
    files = {
        "component/kustomization.yaml": COMPONENT + PATCH,
        "apps/kustomization.yaml": BASE + "components: [../component]\n",
        "shop/kustomization.yaml": KUSTOMIZATION + "resources: [web.yaml]\ncomponents: [../component]\n",
        "shop/web.yaml": WEB.replace("name: web\n", "name: shop\n", 1),
        "cluster/shop.yaml": SHOP,
    }
    [finding] = places(check, files)
    assert finding.startswith("component/kustomization.yaml:4: ")
    assert places(check, files | {"shop/web.yaml": WEB.replace("name: web\n", "name: wbe\n", 1)}) == []


def test_a_build_that_fails_may_have_the_object(check: Check) -> None:
    files = {
        "component/kustomization.yaml": COMPONENT + PATCH,
        "apps/kustomization.yaml": BASE + "components: [../component]\n",
        "shop/kustomization.yaml": KUSTOMIZATION
        + "resources: [../apps/base]\ncomponents: [../component]\npatches: [{path: missing.yaml}]\n",
        "cluster/shop.yaml": SHOP,
    }
    assert places(check, files) == []


def test_a_remote_base_may_have_the_object(check: Check) -> None:
    remote = "resources: [base, 'https://github.com/example/example//deploy?ref=v1']\n"
    assert places(check, {"apps/kustomization.yaml": KUSTOMIZATION + remote + PATCH}) == []


def test_a_file_that_is_still_to_be_written_may_have_the_object(check: Check) -> None:
    files = {"apps/gotk-components.yaml": "# written by flux bootstrap\n"}
    assert places(check, files | {"apps/kustomization.yaml": BASE.replace("base", "base, gotk-components.yaml") + PATCH}) == []


def test_patterns_and_kinds_are_for_whatever_comes(check: Check) -> None:
    for target in ("{kind: Deployment, name: wbe.*}", "{kind: Secret}", "{labelSelector: a=b}", "{kind: Deployment, name: (a|b)}"):
        patch = PATCH.replace("{kind: Deployment, name: wbe}", target)
        assert places(check, {"apps/kustomization.yaml": BASE + patch}) == []


def test_the_spec_of_a_kustomization(check: Check) -> None:
    patched = FLUX + "  patches:\n    - target: {kind: Deployment, name: wbe}\n" + REMOVE
    [finding] = places(check, {"cluster/apps.yaml": patched})
    assert finding == f"cluster/apps.yaml:{FLUX.count(chr(10)) + 2}: the patch for Deployment wbe changes nothing: no object matches"


CHILDREN = (
    KUSTOMIZATION
    + """\
resources: [apps.yaml, shop.yaml]
patches:
  - target: {kind: Kustomization}
    patch: |
      - op: add
        path: /spec/patches
        value:
          - target:
              kind: Deployment
              name: wbe
            patch: |
              - {op: add, path: /metadata/labels, value: {a: b}}
"""
)


def test_what_a_parent_puts_into_kustomizations_is_found_there_and_matches_once(check: Check) -> None:
    files = {
        "cluster/kustomization.yaml": CHILDREN,
        "cluster/shop.yaml": SHOP,
        "shop/web.yaml": WEB.replace("name: web\n", "name: shop\n", 1),
    }
    [finding] = check(RULE, files)
    assert str(finding.location) == "cluster/kustomization.yaml:12"
    assert [scope.kustomization for scope in finding.scopes] == ["flux-system/apps", "flux-system/shop"]
    assert places(check, files | {"shop/web.yaml": WEB.replace("name: web\n", "name: wbe\n", 1)}) == []


def test_a_target_with_the_value_of_a_secret_is_not_told(check: Check) -> None:
    spec = "  postBuild: {substituteFrom: [{kind: Secret, name: names}]}\n"
    files = {
        "cluster/apps.yaml": FLUX + spec,
        "cluster/secret.yaml": SECRET,
        "apps/shop.yaml": SHOP + "  patches:\n    - target: {kind: Deployment, name: '${NAME}'}\n" + REMOVE,
        "shop/web.yaml": WEB.replace("name: web\n", "name: shop\n", 1),
    }
    assert places(check, files) == []
    assert places(check, files | {"cluster/apps.yaml": FLUX + spec.replace("From: [{kind: Secret, name: names}]", ": {NAME: shown}")}) == [
        f"apps/shop.yaml:{FLUX.count(chr(10)) + 2}: the patch for Deployment shown changes nothing: no object matches"
    ]


def test_the_result_is_kept_for_the_next_run(check: Check, tmp_path: Path) -> None:
    files = RESOURCES | {"apps/kustomization.yaml": BASE + PATCH}
    first = check(RULE, files, tmp_path / "store")
    assert len(first) == 1
    assert check(RULE, files, tmp_path / "store") == first
    assert check(RULE, files | {"apps/kustomization.yaml": BASE + PATCH.replace("wbe", "web")}, tmp_path / "store") == []


def test_one_environment_of_several_says_nothing_of_what_they_share(worker_program: Path, tmp_path: Path) -> None:
    patched = SHOP + "  patches:\n    - target: {kind: Deployment, name: wbe}\n" + REMOVE
    files = {
        "cluster/kustomization.yaml": KUSTOMIZATION + "resources: [apps.yaml, ../shared]\n",
        "cluster/apps.yaml": FLUX,
        "shared/kustomization.yaml": KUSTOMIZATION + "resources: [shop.yaml]\n",
        "shared/shop.yaml": patched,
        "shop/web.yaml": WEB.replace("name: web\n", "name: shop\n", 1),
        "component/kustomization.yaml": COMPONENT + PATCH,
        "apps/kustomization.yaml": BASE + "components: [../component]\n" + PATCH,
        "apps/base/web.yaml": WEB,
        **RESOURCES,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
    environment = Environment("local", tmp_path, definition)
    with Worker(worker_program, tmp_path) as worker:
        everything = [finding.path for finding in validate(LintScope(tmp_path, (environment,)), worker).findings if finding.rule == RULE]
        known = [
            finding.path
            for finding in preflight(EnvironmentGraph(environment, build_graph(environment, worker)), worker)
            if finding.rule == RULE
        ]
    assert everything == ["apps/kustomization.yaml", "component/kustomization.yaml", "shared/shop.yaml"]
    assert known == ["apps/kustomization.yaml"]
