"""Has the build worker judge what it rendered: one question a judge and environment, side by side over its cores."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from devloop.clients.worker import Worker
from devloop.lint.kustomization_files import check_kustomization_files
from devloop.lint.policies import check_policies
from devloop.lint.schemas import check_schemas
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.worker_results import WorkerResults


def run_checks(environments: Sequence[EnvironmentGraph], worker: Worker, files: FileIndex) -> WorkerResults:
    """What every judge says of every environment; each judge has a module of its own beside this one."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        policies = beside.submit(check_policies, environments, worker, files)
        schema = check_schemas(environments, worker)
        return WorkerResults(policies=policies.result(), schema=schema, kustomization_files=check_kustomization_files(environments, worker))
