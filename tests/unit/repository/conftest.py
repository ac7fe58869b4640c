"""Repositories of tests, and their graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.worker import Worker
from devloop.model.flux.graph import Graph
from devloop.repository.graph import build_graph

from .graphs import Survey, environment


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """Writes manifests (one object or a list of them for each file) or plain text."""

    def write(files: Mapping[str, Any]) -> Path:
        for name, content in files.items():
            path = tmp_path / "repo" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            objects = content if isinstance(content, list) else [content]
            path.write_text(content if isinstance(content, str) else yaml.safe_dump_all(objects))
        return tmp_path / "repo"

    return write


@pytest.fixture
def look(worker_program: Path) -> Survey:
    def look(root: Path, *, identities: str = "", remotes: tuple[str, ...] = (), **place: str) -> Graph:
        with Worker(worker_program, root, identities) as worker:
            return build_graph(environment(root, **place), worker, remotes=remotes)

    return look
