"""A build worker for each test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.worker import Worker

from .builds import Build, Start, kustomization


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
