"""Environments that have files and no processes, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from devloop.model.report import Event, Report, Status
from devloop.provisioners import state_dir

DEFINITION = "apiVersion: ksail.io/v1alpha1\nkind: Cluster\nmetadata: {name: new}\nspec: {cluster: {gitOpsEngine: Flux}}\n"


def make_repository(root: Path) -> Path:
    """With an environment `local`, whose cluster is `new`."""
    (root / "clusters" / "local").mkdir(parents=True)
    (root / "clusters" / "local" / "ksail.yaml").write_text(DEFINITION)
    return root


def make(cluster: str, root: Path | str, environment: str = "local", provisioner: str = "embedded") -> Path:
    """The state folder of a cluster that `root` owns."""
    folder = state_dir(provisioner, cluster)
    folder.mkdir(parents=True)
    (folder / "owner.json").write_text(json.dumps({"root": str(root), "environment": environment}))
    return folder


def steps(report: Report) -> Sequence[tuple[str, Status, str]]:
    return [(step.title, step.status, step.message) for step in report.steps]


def ignore(_: Event) -> None:
    """No output."""
