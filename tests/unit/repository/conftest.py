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
from .working_trees import git, write


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


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for name, value in {
        "AUTHOR_NAME": "a",
        "AUTHOR_EMAIL": "a@example.com",
        "COMMITTER_NAME": "c",
        "COMMITTER_EMAIL": "c@example.com",
    }.items():
        monkeypatch.setenv(f"GIT_{name}", value)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=trunk")
    write(root, "k8s/app.yaml", "a: 1\n")
    write(root, "README.md", "hello\n")
    return root
