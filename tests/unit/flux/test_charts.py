"""Edits of a chart that its package does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.flux.charts import compare_charts, known_differences
from devloop.model.causes.observed import Observed
from devloop.model.flux.graph import Graph, Node, NodeState, Release
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.objects import ObjectId

from ..tarballs import tgz

TEMPLATE, VALUES = "templates/web.yaml", "values.yaml"
FILES = {"Chart.yaml": "name: web\nversion: 0.1.0\n", VALUES: "a: 1\n", TEMPLATE: "kind: ConfigMap\n", "README.md": "words\n"}


def package(files: dict[str, str]) -> bytes:
    return tgz({f"web/{name}": content for name, content in files.items()})


def cluster(digest: str = "sha256:1", **spec: Any) -> Observed:
    observed = Observed()
    chart = {"kind": "HelmChart", "metadata": {"namespace": "shop", "name": "web"}}
    source = {"kind": "GitRepository", "name": "source"}
    status = {"artifact": {"digest": digest, "revision": "0.1.0", "url": "http://source/web.tgz"}}
    observed.take("ADDED", {**chart, "spec": {"sourceRef": source, **spec}, "status": status})
    observed.take("ADDED", {"kind": "GitRepository", "metadata": {"namespace": "shop", "name": "source"}})
    release = {"kind": "HelmRelease", "metadata": {"namespace": "shop", "name": "web"}}
    observed.take("ADDED", {**release, "status": {"helmChart": "shop/web"}})
    return observed


GRAPH = Graph(
    "local",
    ".",
    "./",
    (
        Node(
            parse_kustomization({"metadata": {"namespace": "flux-system", "name": "apps"}}),
            NodeState.BUILT,
            releases=(Release(ObjectId("shop", "web"), NodeState.BUILT, "chart"),),
        ),
    ),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "chart" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def compare(root: Path, observed: Observed, packaged: dict[str, str] = FILES) -> list[str]:
    (root / "state").mkdir(exist_ok=True)
    found = compare_charts(GRAPH, observed, root, root / "state", lambda url: package(packaged))
    return [cause.message for cause in found]


def test_an_edited_an_added_and_a_removed_template_are_named(root: Path) -> None:
    assert compare(root, cluster()) == []
    packaged = {**FILES, TEMPLATE: "kind: Secret\n", "templates/old.yaml": "", "README.md": "other words\n"}
    (root / "chart" / "templates" / "new.yaml").write_text("kind: Pod\n")
    [message] = compare(root, cluster("sha256:2"), packaged)
    assert message.startswith("the edit of templates/new.yaml, templates/old.yaml and templates/web.yaml in chart is not in the cluster")
    assert "still 0.1.0" in message


def test_values_that_source_controller_merges_and_charts_packaged_at_every_revision_do_not_count(root: Path) -> None:
    packaged = {**FILES, VALUES: "a: 2\n"}
    assert len(compare(root, cluster("sha256:2"), packaged)) == 1
    assert compare(root, cluster("sha256:3", valuesFiles=["values.yaml"]), packaged) == []
    assert compare(root, cluster("sha256:4", reconcileStrategy="Revision"), packaged) == []


def test_a_package_is_read_once_for_the_same_files(root: Path) -> None:
    assert compare(root, cluster()) == []
    assert compare(root, cluster(), {TEMPLATE: "never read"}) == []
    assert len(compare(root, cluster("sha256:2"), {TEMPLATE: "read again"})) == 1


def test_what_was_found_holds_until_the_chart_is_packaged_again(root: Path) -> None:
    compare(root, cluster(), {**FILES, TEMPLATE: "other"})
    state = root / "state"
    assert [cause.id for cause in known_differences(cluster(), state)] == ["release/chart-unchanged"]
    assert known_differences(cluster("sha256:2"), state) == ()
    (state / "charts.json").write_text('{"HelmChart/shop/web": []}')
    assert known_differences(cluster(), state) == ()
