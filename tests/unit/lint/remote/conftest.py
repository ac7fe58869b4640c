"""Servers with remote bases, and the check of a repository that uses them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from devloop.clients.remote_fetch import Fetcher
from devloop.clients.worker import Worker
from devloop.lint.run import Selection, validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.report import Report

from .remotes import KUSTOMIZATION, WEB, Check, Files, committed


@pytest.fixture
def web() -> Iterator[str]:
    Files.files, Files.asked = {}, []
    Files.silent.clear()
    Files.over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Files.over.set()
        server.shutdown()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with a base that uses a sibling folder."""
    files = {
        "apps/kustomization.yaml": KUSTOMIZATION + "resources: [../web]\n",
        "web/kustomization.yaml": KUSTOMIZATION + "resources: [web.yaml]\nlabels: [{pairs: {from: afar}}]\n",
        "web/web.yaml": WEB,
    }
    # Where our own server of Git wants it.
    return committed(tmp_path / "served" / "devloop.git", files)


@pytest.fixture
def check(worker_program: Path, tmp_path: Path) -> Check:
    """Validates a repository whose entry path is cluster/."""

    def check(root: Path, *, allowed: bool = True, limit: float = 20.0, store: Path | None = None, rule: str = "") -> Report:
        definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
        known = LintScope(root, (Environment("local", root, definition),))
        fetcher = Fetcher(tmp_path / "cache", limit=limit) if allowed else None
        try:
            with Worker(worker_program, root, store=store) as worker:
                return validate(known, worker, Selection(rules=(rule,) if rule else ()), fetcher)
        finally:
            if fetcher:
                fetcher.close()

    return check
