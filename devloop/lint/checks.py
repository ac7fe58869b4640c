"""Has the build worker check what it rendered."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location
from devloop.errors import DevloopError
from devloop.lint.patch_targets import check_patch_targets
from devloop.lint.policies import check_policies
from devloop.lint.schemas import check_schemas
from devloop.model.kubernetes.kustomize import is_kustomization_file
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.worker_results import WorkerResults

# What Kustomize accepts silently: duplicate keys, of which the last counts, and unknown fields.
_RULES = {"duplicate": "yaml/duplicate-key", "ignored": "build/ignored-field"}


def run_checks(environments: Sequence[EnvironmentGraph], worker: Worker, files: FileIndex, *, whole: bool) -> WorkerResults:
    """All checks; `whole`: the environments are all that the repository has."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        policies = executor.submit(check_policies, environments, worker, files)
        schema = check_schemas(environments, worker)
        return WorkerResults(
            policies=policies.result(),
            schema=schema,
            kustomization_files=_check_kustomization_files(environments, worker),
            unmatched_patches=check_patch_targets(environments, worker, whole=whole),
        )


def _check_kustomization_files(environments: Sequence[EnvironmentGraph], worker: Worker) -> tuple[Diagnostic, ...]:
    """Checks each kustomization file that builds read once; raises DevloopError if the worker fails."""
    read = {path for built in environments for node in built.graph for path in node.files}
    [answer] = worker.ask_all([{"lint": {"paths": sorted(filter(is_kustomization_file, read))}}])
    if "failure" in answer:
        raise DevloopError(f"the kustomization files cannot be checked: {answer['failure']['message']}")
    return tuple(
        Diagnostic(issue["message"], Location(issue["path"], issue["line"]), issue.get("hint", ""), rule=_RULES[issue["code"]])
        for issue in answer.get("result") or ()
    )
