"""A build's fingerprint changes with all that it depends on and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.worker import Worker
from devloop.repository.graph import build_graph

from .graphs import environment, flux, settings

Fingerprints = dict[str, str]
VARIABLES = {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "variables"}]}}
SHARED = flux("shared", "./shared")
TOOLS = flux("tools", "./tools", components=["../optional"], ignoreMissingComponents=True)


@pytest.fixture
def root(repository: Any) -> Path:
    entry = [SHARED, flux("apps", "./apps", **VARIABLES), TOOLS]
    base = {"resources": ["../base/settings.yaml"]}
    found: Path = repository({
        "cluster/k.yaml": entry,
        "shared/variables.yaml": settings("variables", domain="a.test"),
        "base/settings.yaml": settings("base"),
        "apps/kustomization.yaml": base,
        "tools/settings.yaml": settings("tools"),
    })  # fmt: skip
    return found


@pytest.fixture
def fingerprints(worker_program: Path, root: Path, tmp_path: Path) -> Callable[[], Fingerprints]:
    """Of the Kustomizations, read by a new worker that keeps what others have built."""

    def read() -> Fingerprints:
        with Worker(worker_program, root, "", store=tmp_path / "store") as worker:
            graph = build_graph(environment(root), worker)
        found = {node.kustomization.id.name: node.fingerprint for node in graph}
        assert all(found.values())
        return found

    return read


def changed(before: Fingerprints, after: Fingerprints) -> list[str]:
    return sorted(name for name in before if before[name] != after[name])


def test_what_was_built_and_what_was_kept_have_the_same(fingerprints: Callable[[], Fingerprints], root: Path) -> None:
    first = fingerprints()
    (root / "tools/settings.yaml").touch()
    (root / "README.md").write_text("x\n")
    assert fingerprints() == first


@pytest.mark.parametrize(
    ("path", "content", "affected"),
    [
        ("tools/settings.yaml", settings("tools", size="2"), ["tools"]),
        ("tools/more.yaml", settings("more"), ["tools"]),
        ("optional/kustomization.yaml", {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}, ["tools"]),
        ("base/settings.yaml", settings("base", size="2"), ["apps"]),
        ("shared/variables.yaml", settings("variables", domain="b.test"), ["apps", "shared"]),
        (
            "cluster/k.yaml",
            [SHARED, flux("apps", "./apps"), TOOLS],
            ["apps", "flux-system"],
        ),
    ],
)
def test_an_edit_changes_those_of_the_builds_that_read_it(
    fingerprints: Callable[[], Fingerprints], repository: Any, path: str, content: Any, affected: list[str]
) -> None:
    before = fingerprints()
    repository({path: content})
    assert changed(before, fingerprints()) == affected
