"""Asks the build worker what kustomize passes over without a word, in the kustomization files that builds read."""

from __future__ import annotations

from collections.abc import Sequence

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location
from devloop.errors import DevloopError
from devloop.model.kubernetes.kustomize import is_kustomization_file
from devloop.model.lint.context import EnvironmentGraph

# What the worker calls it: of two keys the last counts, or there is no such field.
_RULES = {"duplicate": "yaml/duplicate-key", "ignored": "build/ignored-field"}


def check_kustomization_files(environments: Sequence[EnvironmentGraph], worker: Worker) -> tuple[Diagnostic, ...]:
    """Those of every file, once; raises DevloopError when the worker cannot say."""
    read = {path for inspected in environments for unit in inspected.units for path in unit.node.files}
    files = sorted(filter(is_kustomization_file, read))
    [answer] = worker.ask_all([{"overlooked": {"paths": files}}])
    if "failure" in answer:
        raise DevloopError(f"the kustomization files cannot be checked: {answer['failure']['message']}")
    return tuple(
        Diagnostic(said["message"], Location(said["path"], said["line"]), said.get("hint", ""), rule=_RULES[said["code"]])
        for said in answer.get("result") or ()
    )
