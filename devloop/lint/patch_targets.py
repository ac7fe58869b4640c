"""Finds patches whose target matches nothing, with the worker."""

from collections.abc import Sequence

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.diagnostic import Location
from devloop.errors import DevloopError
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.worker_results import UnmatchedPatch
from devloop.repository.builds import scope_of


def check_patch_targets(environments: Sequence[EnvironmentGraph], worker: Worker, *, whole: bool) -> tuple[UnmatchedPatch, ...]:
    """Patches that match nothing in any of the environments, `whole`: of all that there are. Raises DevloopError if the worker fails."""
    [answer] = worker.ask_all([{"patches": {"scopes": [scope_of(built.graph) for built in environments], "whole": whole}}])
    if "failure" in answer:
        raise DevloopError(f"the targets of patches cannot be checked: {answer['failure']['message']}")
    results: Sequence[protocol.PatchResult] = answer.get("result") or ()
    return tuple(
        UnmatchedPatch(
            environments[each["scope"]].name,
            ObjectId(*each["owner"].split("/", 1)),
            Location(each["path"], each["line"]),
            each["target"],
            each.get("hint", ""),
            each.get("shared", False),
        )
        for each in results
    )
