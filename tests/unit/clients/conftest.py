"""A build worker for each test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.worker import Worker

from .builds import Build, Start, kustomization
from .charts import CHART, TEMPLATE, Render, release


@pytest.fixture
def start(worker_program: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker for a folder; the result builds ./apps of it, or whatever `spec` says, and gives the worker's result."""
    workers: list[Worker] = []

    def start(root: Path, identities: str = "") -> Build:
        workers.append(Worker(worker_program, root, identities))

        def build(name: str = "apps", body: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
            question = {
                "scope": "local",
                "base": ".",
                "namespace": "flux-system",
                "name": name,
                "object": body or kustomization(name, **spec),
            }
            [answer] = workers[-1].ask_all([{"build": question}])
            result: dict[str, Any] = answer["result"]
            return result

        return build

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
def render(worker_program: Path, tmp_path: Path) -> Render:
    """What the worker makes of a HelmRelease next to `files` (text, or an object), in its own repository."""

    def render(
        files: Mapping[str, Any] | None = None,
        *,
        apis: tuple[str, ...] = (),
        version: str = "v1.35.2",
        artifact: Mapping[str, Any] | None = None,
        included: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        for name, content in (
            CHART | {"chart/templates/a.yaml": TEMPLATE, "apps/release.yaml": release(**spec)} | dict(files or {})
        ).items():
            path = tmp_path / "repo" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(
                content if isinstance(content, bytes) else (content if isinstance(content, str) else yaml.safe_dump(content)).encode()
            )
        metadata = {"namespace": "flux-system", "name": "apps"}
        body = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata, "spec": {"path": "./apps"}}
        one = {"namespace": "apps", "name": "web", "base": "."} | ({"artifact": artifact} if artifact else {})
        one |= {"settings": {"unknown": included}} if included else {}
        asked = {"scope": "x", "version": version, "apis": list(apis), "releases": [one]}
        with Worker(worker_program, tmp_path / "repo", store=tmp_path / "store") as worker:
            worker.ask_all([{"build": {"scope": "x", "base": ".", **metadata, "object": body}}])
            [answer] = worker.ask_all([{"releases": metadata | asked}])
            [again] = worker.ask_all([{"releases": metadata | asked}])
        assert answer["result"] == again["result"]
        [result] = answer["result"]
        return dict(result)

    return render
