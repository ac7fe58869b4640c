"""Checks rendered objects against the schemas of the package kubernetes-validate, a folder per Kubernetes version.

A wheel has those that the worker reads inside; in a checkout the package has them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.errors import DevloopError
from devloop.hint import command
from devloop.model.cluster.environment import Environment
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.worker_results import ObjectSchemaErrors, SchemaError
from devloop.repository.builds import scope_of
from devloop.toolchain import Toolchain

_IN_WHEEL = Path(__file__).parents[1] / "data" / "schemas"
_FOLDER = re.compile(r"v1\.(\d+)\.\d+-local-strict")


class Schemas(NamedTuple):
    """Those of Kubernetes 1.`minor`."""

    minor: int
    folder: Path


def schemas(version: str) -> Schemas:
    """Those of a Kubernetes version like v1.36.4 or of the nearest available one; '' is the version that devloop runs."""
    match = re.match(r"v?1\.(\d{1,4})", version or Toolchain().version("kube-apiserver"))
    bundled = _bundled()
    requested = int(match[1]) if match else max(bundled)
    return min((Schemas(*item) for item in bundled.items()), key=lambda each: (abs(each.minor - requested), -each.minor))


@cache
def _bundled() -> dict[int, Path]:
    folders = [_IN_WHEEL] if _IN_WHEEL.is_dir() else _in_package()
    bundled = {int(match[1]): entry for folder in folders for entry in folder.iterdir() if (match := _FOLDER.fullmatch(entry.name))}
    if not bundled:
        raise DevloopError("the Kubernetes schemas are not installed", hint=command("python -m pip install kubernetes-validate"))
    return bundled


def _in_package() -> list[Path]:
    # Only for its data: the package is never imported.
    package = PathFinder.find_spec("kubernetes_validate")
    return [Path(location) / "kubernetes-json-schema" for location in (package.submodule_search_locations or () if package else ())]


def prepare_schemas(environments: Iterable[Environment], worker: Worker) -> None:
    """Has the worker load the schemas while it builds."""
    for folder in {schemas(environment.definition.kubernetes_version).folder for environment in environments}:
        worker.request({"preload": {"schemas": str(folder)}})


def check_schemas(environments: Sequence[EnvironmentGraph], worker: Worker) -> tuple[ObjectSchemaErrors, ...]:
    """Violations by environment; raises DevloopError if the worker fails."""
    answers = worker.ask_all(list(map(_request, environments)))
    return tuple(errors for built, answer in zip(environments, answers, strict=True) for errors in _errors(built, answer))


def _request(built: EnvironmentGraph) -> protocol.Request:
    minor, folder = schemas(built.environment.definition.kubernetes_version)
    return {"schemas": {"scope": scope_of(built.graph), "schemas": str(folder), "minor": minor}}


def _errors(built: EnvironmentGraph, answer: protocol.Answer) -> Iterator[ObjectSchemaErrors]:
    if "failure" in answer:
        raise DevloopError(f"the schemas cannot be checked: {answer['failure']['message']}")
    results: Sequence[protocol.SchemaResult] = answer.get("result") or ()
    for each in results:
        errors = (
            SchemaError(v["code"], tuple(v["field"]), v["message"], v.get("hint", ""), v.get("assumed", False)) for v in each["violations"]
        )
        yield ObjectSchemaErrors(built.environment.name, ObjectId(*each["owner"].split("/", 1)), each["index"], tuple(errors))
