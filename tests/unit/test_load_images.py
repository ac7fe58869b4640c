"""Which images `up` loads into the nodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.manifest import Manifest
from devloop.steps import Output
from devloop.steps.cluster import LoadImages


def test_a_name_that_no_engine_accepts_is_left_to_the_cluster() -> None:
    containers = [{"image": "Sample:0.1.0"}, {"image": "localhost/sample:0.1.0"}]
    manifest = Manifest({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}})
    kustomization = parse_kustomization({"metadata": {"namespace": "flux-system", "name": "apps"}})
    graph: Output[Graph] = Output()
    graph.set(Graph("local", ".", "./", (Node(kustomization, NodeState.BUILT, manifests=(manifest,)),)))
    asked: list[tuple[str, ...]] = []
    session: Any = SimpleNamespace(
        emit=None,
        controllers=SimpleNamespace(ensure_images=lambda names, emit: ("localhost/flux:1",)),
        provisioner=SimpleNamespace(ensure_images=lambda references, emit: asked.append(tuple(references)) or ()),
    )
    LoadImages(graph).run(session)
    assert asked == [("localhost/flux:1", "localhost/sample:0.1.0")]
