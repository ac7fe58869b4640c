"""The simulated nodes of an embedded environment."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.provisioners.embedded.nodes import CONTROL_PLANE_LABEL, nodes_of

from .components import definition


def roles(*names: str) -> ClusterDefinition:
    return definition(*(NodeConfiguration(name) for name in names))


def names(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["metadata"]["name"] for node in nodes]


def tainted(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["metadata"]["name"] for node in nodes if node["spec"]["taints"]]


@pytest.mark.parametrize(
    ("wanted", "expected", "expected_tainted"),
    [
        (("control-plane",), ["demo-control-plane"], []),
        (("control-plane", "worker"), ["demo-control-plane", "demo-worker"], ["demo-control-plane"]),
        (
            ("control-plane", "worker", "worker", "worker"),
            ["demo-control-plane", "demo-worker", "demo-worker2", "demo-worker3"],
            ["demo-control-plane"],
        ),
        (("control-plane", "control-plane"), ["demo-control-plane", "demo-control-plane2"], []),
        (
            ("worker", "control-plane", "control-plane", "control-plane"),
            ["demo-worker", "demo-control-plane", "demo-control-plane2", "demo-control-plane3"],
            ["demo-control-plane", "demo-control-plane2", "demo-control-plane3"],
        ),
    ],
)
def test_nodes_have_the_names_and_taints_of_kind(wanted: tuple[str, ...], expected: list[str], expected_tainted: list[str]) -> None:
    nodes = nodes_of(roles(*wanted), "v1.2.3")
    assert names(nodes) == expected
    assert tainted(nodes) == expected_tainted


def test_a_node_has_labels_and_node_info() -> None:
    (node,) = nodes_of(definition(NodeConfiguration("control-plane", labels={"tier": "gold", "kubernetes.io/arch": "arm64"})), "v1.2.3")
    labels = node["metadata"]["labels"]
    assert labels["kubernetes.io/hostname"] == "demo-control-plane"
    assert labels["kubernetes.io/os"] == "linux"
    assert labels[CONTROL_PLANE_LABEL] == ""
    assert (labels["tier"], labels["kubernetes.io/arch"]) == ("gold", "arm64")
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.2.3"
    assert node["status"]["allocatable"] == node["status"]["capacity"]


def test_a_worker_is_not_a_control_plane() -> None:
    _, worker = nodes_of(roles("control-plane", "worker"), "v1.2.3")
    assert CONTROL_PLANE_LABEL not in worker["metadata"]["labels"]
