"""What the build worker's judges say of rendered objects, each tied to the object. No I/O; rules turn it into diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.diagnostic import Diagnostic
from devloop.model.lint.policy import PolicyResult
from devloop.model.lint.schema_errors import ObjectSchemaErrors


@dataclass(frozen=True)
class WorkerResults:
    """One field for each judge, filled by devloop/lint/checks.py."""

    policies: tuple[PolicyResult, ...] = ()
    schema: tuple[ObjectSchemaErrors, ...] = ()
    kustomization_files: tuple[Diagnostic, ...] = ()
