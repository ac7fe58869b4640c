"""Causes get the file and line in the repository that set the field; the real worker looks them up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.worker import Worker, WorkerDied
from devloop.lint.cause_locations import CauseLocator
from devloop.lint.located_causes import LocatedCauses
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import Observed
from devloop.model.causes.rendered import Owners, no_owners
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.repository.graph import build_graph

from .provenance import FLUX, MERGE, WEB, apps
from .test_provenance_releases import CHART, RELEASE

Locate = Callable[..., Cause]
DEPLOYMENT = ObjectRef("Deployment", "default", "web")
PULL = Cause("pod/image-pull", DEPLOYMENT, "container web: cannot pull the image example.org/web:latest: not found", "flux-system/apps")


@pytest.fixture
def find(worker_program: Path, tmp_path: Path) -> Locate:
    """Writes files and locates a cause in the environment whose entry path is cluster/."""

    def find(cause: Cause, files: Mapping[str, str], live: Observed | None = None) -> Cause:
        for name, text in {"cluster/apps.yaml": FLUX, "apps/base/web.yaml": WEB, **files}.items():
            path = tmp_path / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = tmp_path / "repository"
        definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
        environment = Environment("local", root, definition)
        with Worker(worker_program, root) as worker:
            [found] = CauseLocator(environment, build_graph(environment, worker), worker, live).locate([cause])
        return found

    return find


def shown(cause: Cause) -> str:
    """PATH:LINE the line, then the related places."""
    line = cause.snippet.lines[cause.snippet.line - cause.snippet.first].strip() if cause.snippet else ""
    return " ".join([f"{cause.path}:{cause.line}", line, *(f"({each})" for each in cause.related)]).strip()


def test_the_field_of_the_object(find: Locate) -> None:
    assert shown(find(PULL, {})) == "apps/base/web.yaml:14 image: example.org/web:1.0"


def test_the_patch_that_set_it(find: Locate) -> None:
    files = {"apps/kustomization.yaml": apps("patches: [{path: p.yaml}]\n"), "apps/p.yaml": MERGE}
    assert shown(find(PULL, files)) == ("apps/p.yaml:9 image: example.org/web:latest (a patch for the object in apps/base/web.yaml:14)")


def test_an_item_of_a_list_that_has_another_index_in_its_file(find: Locate) -> None:
    listed = "          envFrom:\n            - configMapRef: {name: first}\n            - configMapRef: {name: second}\n"
    patch = "- {op: add, path: /spec/template/spec/containers/0/envFrom/0, value: {configMapRef: {name: zeroth}}}\n"
    files = {
        "apps/base/web.yaml": WEB + listed,
        "apps/kustomization.yaml": apps("patches: [{path: p.yaml, target: {kind: Deployment}}]\n"),
        "apps/p.yaml": patch,
    }
    missing = replace(PULL, id="pod/config-missing", message='container web: configmap "first" not found')
    assert shown(find(missing, files)) == "apps/base/web.yaml:0"
    missing = replace(PULL, id="pod/config-missing", message='container web: configmap "zeroth" not found')
    assert shown(find(missing, files)).startswith("apps/p.yaml:1 ")


def test_a_field_that_nothing_sets_is_at_what_should_have_it(find: Locate) -> None:
    files = {"apps/base/web.yaml": WEB.partition("          resources:")[0]}
    cause = Cause("pod/out-of-memory", DEPLOYMENT, "container web ran out of memory (limit that of the node)", "flux-system/apps")
    assert shown(find(cause, files)) == "apps/base/web.yaml:13 - name: web"


def test_a_value_of_a_release_and_a_template_of_its_chart(find: Locate) -> None:
    files = CHART | {"apps/base/web.yaml": RELEASE + "  values:\n    image: example.org/web:latest\n"}
    cause = Cause(PULL.id, DEPLOYMENT, PULL.message, PULL.kustomization)
    assert shown(find(cause, files)) == (
        "apps/base/web.yaml:13 image: example.org/web:latest (values for the object in chart/templates/web.yaml:13)"
    )
    files["apps/base/web.yaml"] = RELEASE
    assert shown(find(cause, files)) == "chart/templates/web.yaml:13 image: {{ .Values.image }}"


def test_a_build_that_fails(find: Locate) -> None:
    files = {"apps/kustomization.yaml": "resources:\n  - base/web.yaml\n  - nothing.yaml\n"}
    message = "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'nothing.yaml'"
    cause = Cause("kustomization/build", ObjectRef("Kustomization", "flux-system", "apps"), message, "flux-system/apps")
    assert shown(find(cause, files)) == "apps/kustomization.yaml:3 - nothing.yaml"


def test_a_file_that_a_list_in_one_line_names(find: Locate) -> None:
    files = {"apps/kustomization.yaml": "resources: [base/web.yaml, nothing.yaml]\n"}
    cause = Cause("kustomization/build", ObjectRef("Kustomization", "flux-system", "apps"), "build failed", "flux-system/apps")
    assert shown(find(cause, files)) == "apps/kustomization.yaml:1 resources: [base/web.yaml, nothing.yaml]"


def test_a_line_of_a_template_that_is_no_yaml(find: Locate) -> None:
    chart = CHART | {"chart/templates/web.yaml": "{{- if true }}\n" + WEB.replace("  namespace: default\n", "") + "{{- end }}\n"}
    cause = Cause("pod/out-of-memory", DEPLOYMENT, "container web ran out of memory", "flux-system/apps")
    found = find(cause, chart | {"apps/base/web.yaml": RELEASE})
    assert shown(found) == "chart/templates/web.yaml:17 limits: {cpu: 1m, memory: 1Mi}"


def test_a_field_that_the_cluster_has_otherwise_has_no_line(find: Locate) -> None:
    live = Observed()
    containers = [{"name": "web", "image": "example.org/web:1.0"}]
    live.take("ADDED", {**deployment(), "spec": {"template": {"spec": {"containers": containers}}}})
    assert find(PULL, {}, live).line == 14
    containers[0]["image"] = "example.org/web:2.0"
    assert shown(find(PULL, {}, live)) == "apps/base/web.yaml:0"
    assert find(replace(PULL, id="object/missing"), {}, live).line == 1


def deployment() -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}}


def test_the_file_alone_where_the_repository_does_not_say_it(find: Locate) -> None:
    message = "dependency 'flux-system/other' not found"
    cause = Cause("kustomization/dependency-missing", ObjectRef("Kustomization", "flux-system", "apps"), message, "flux-system/apps")
    assert shown(find(cause, {})) == "cluster/apps.yaml:0"


def test_a_secret_keeps_its_values(find: Locate) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: default}\nstringData:\n  a: hidden\n"
    cause = Cause(
        "apply/invalid", ObjectRef("Secret", "default", "web"), "Secret is invalid: stringData[a]: Invalid value: no", "flux-system/apps"
    )
    found = find(cause, {"apps/base/web.yaml": secret})
    assert (found.path, found.line) == ("apps/base/web.yaml", 5)
    assert "hidden" not in str(found.snippet)


class SlowLocator:
    """Finds every cause at line 7, once it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[Cause] = []
        self.sizes: list[int] = []

    def locate(self, causes: Iterable[Cause], owners: Owners = no_owners) -> tuple[Cause, ...]:
        listed = tuple(causes)
        self.asked += listed
        self.sizes.append(len(listed))
        self.may_answer.wait(60)
        return tuple(replace(each, path="web.yaml", line=7) for each in listed)


FINAL = replace(PULL, final=True)


def test_a_cause_is_known_at_once_and_gets_its_line_later() -> None:
    locator = SlowLocator()
    located = LocatedCauses(lambda: locator)  # type: ignore[arg-type, return-value]
    causes = (FINAL, replace(FINAL, id="pod/crash"))
    first = located.now(causes)
    assert [cause.line for cause in first] == [0, 0]
    assert located.now(causes) is first
    locator.may_answer.set()
    assert [cause.line for cause in located.complete(causes)] == [7, 7]
    assert located.now(causes) is located.now(causes)
    assert [cause.line for cause in located.now(tuple(replace(cause, attempted=2.0) for cause in causes))] == [7, 7]
    assert locator.asked == list(causes)


def test_a_cause_that_may_go_away_is_looked_up_for_the_verdict_alone() -> None:
    locator = SlowLocator()
    locator.may_answer.set()
    located = LocatedCauses(lambda: locator)  # type: ignore[arg-type, return-value]
    located.now((PULL,))
    assert locator.asked == []
    assert [cause.line for cause in located.complete((PULL,))] == [7]


def test_the_first_of_many_causes_do_not_wait_for_the_others() -> None:
    locator = SlowLocator()
    causes = tuple(replace(FINAL, message=f"image {number}") for number in range(20))
    located = LocatedCauses(lambda: locator)  # type: ignore[arg-type, return-value]
    located.now(causes)
    locator.may_answer.set()
    assert {cause.line for cause in located.complete(causes)} == {7}
    assert max(locator.sizes) < 20


def test_a_worker_that_died_leaves_a_cause_without_a_place() -> None:
    def die() -> CauseLocator:
        raise WorkerDied("killed")

    assert LocatedCauses(die).complete((PULL,)) == (PULL,)
