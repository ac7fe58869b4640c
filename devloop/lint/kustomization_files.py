"""Asks the build worker what kustomize passes over without a word, in the kustomization files that builds read."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from devloop.clients.worker import Worker
from devloop.errors import DevloopError
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.schema_errors import KustomizationFileIssue

# https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def check_kustomization_files(environments: Sequence[EnvironmentGraph], worker: Worker) -> tuple[KustomizationFileIssue, ...]:
    """Those of every file, once; raises DevloopError when the worker cannot say."""
    read = {path for inspected in environments for unit in inspected.units for path in unit.node.files}
    files = sorted(path for path in read if posixpath.basename(path) in KUSTOMIZATION_FILES)
    [answer] = worker.ask_all([{"overlooked": {"paths": files}}])
    if "failure" in answer:
        raise DevloopError(f"the kustomization files cannot be checked: {answer['failure']['message']}")
    return tuple(
        KustomizationFileIssue(o["code"], o["path"], o["line"], o["message"], o.get("hint", "")) for o in answer.get("result") or ()
    )
