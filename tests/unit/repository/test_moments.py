"""Whether files are still those that a graph was built from."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from devloop.model.flux.graph import Graph, Moment, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.repository.moments import COARSE, is_built_from, now


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """Of two files, read a moment after they were written."""
    (tmp_path / "apps" / "web").mkdir(parents=True)
    for name in ("apps/kustomization.yaml", "apps/web/deployment.yaml"):
        (tmp_path / name).write_text("a: 1\n")
    time.sleep(COARSE * 2)
    node = Node(parse_kustomization({}), NodeState.BUILT, directory="apps", files=("apps/kustomization.yaml", "apps/web/deployment.yaml"))
    return Graph("local", ".", "apps", (node,), read_at=now())


def test_it_is_built_from_files_that_have_not_changed_since(graph: Graph, tmp_path: Path) -> None:
    assert is_built_from(graph, tmp_path)
    assert not is_built_from(replace(graph, read_at=None), tmp_path)


@pytest.mark.parametrize("path", ["apps/web/deployment.yaml", "apps/web/new.yaml", "apps/new.yaml"])
def test_a_file_that_was_written_or_appeared_since_may_have_been_read_as_it_was(graph: Graph, tmp_path: Path, path: str) -> None:
    (tmp_path / path).write_text("a: 1\n")
    assert not is_built_from(graph, tmp_path)


def test_a_file_that_went_or_came_from_elsewhere_with_its_old_time_counts(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "apps/web/deployment.yaml").rename(tmp_path / "apps/web/other.yaml")
    assert not is_built_from(graph, tmp_path)
    (tmp_path / "apps/web/other.yaml").rename(tmp_path / "apps/web/deployment.yaml")
    assert not is_built_from(graph, tmp_path)


def test_nothing_is_known_after_the_clock_was_set(graph: Graph, tmp_path: Path) -> None:
    assert graph.read_at
    assert not is_built_from(replace(graph, read_at=Moment(graph.read_at.wall + 3600, graph.read_at.steady)), tmp_path)
