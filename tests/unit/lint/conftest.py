"""A check of one Kustomization."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic
from devloop.lint.run import validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment

from .provenance import FLUX, WEB, Check


@pytest.fixture
def check(worker_program: Path, tmp_path: Path) -> Check:
    """Writes files and validates the environment whose entry path is cluster/; gives what one rule finds."""

    def check(rule: str, files: Mapping[str, str], store: Path | None = None) -> list[Diagnostic]:
        for name, text in {"cluster/apps.yaml": FLUX, "apps/base/web.yaml": WEB, **files}.items():
            path = tmp_path / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = tmp_path / "repository"
        definition = ClusterDefinition("local", "G3", "ksail.yaml", source_directory=".", entry_path="cluster")
        with Worker(worker_program, root, store=store) as worker:
            report = validate(LintScope(root, (Environment("local", root, definition),)), worker)
        return [finding for finding in report.findings if finding.rule == rule]

    return check
