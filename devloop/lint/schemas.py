"""Kubernetes' schemas and who checks with them: the definitions that the package kubernetes-validate bundles, a folder a version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from devloop.clients.worker import Answer, Request, Worker
from devloop.errors import DevloopError
from devloop.hint import command
from devloop.model.cluster.environment import Environment
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph
from devloop.model.lint.schema_errors import ObjectSchemaErrors, SchemaError
from devloop.repository.builds import scope
from devloop.toolchain import Toolchain

_FOLDER = re.compile(r"v1\.(\d+)\.\d+-local-strict")


@dataclass(frozen=True)
class Schemas:
    """The definitions of Kubernetes 1.`minor`, in `folder`."""

    minor: int
    folder: Path


def schemas(version: str) -> Schemas:
    """Those of a Kubernetes version like v1.36.3, or of the nearest one that there are schemas for; '' is the version that devloop runs."""
    match = re.match(r"v?1\.(\d{1,4})", version or Toolchain().version("kube-apiserver"))
    bundled = _bundled()
    wanted = int(match[1]) if match else max(bundled)
    return min((Schemas(minor, folder) for minor, folder in bundled.items()), key=lambda each: (abs(each.minor - wanted), -each.minor))


@cache
def _bundled() -> dict[int, Path]:
    # For the data in it: the package itself is never imported, and kept out where others would.
    package = PathFinder.find_spec("kubernetes_validate")
    folders = [Path(place) / "kubernetes-json-schema" for place in (package.submodule_search_locations or () if package else ())]
    found = {int(match[1]): entry for folder in folders for entry in folder.iterdir() if (match := _FOLDER.fullmatch(entry.name))}
    if not found:
        raise DevloopError("the schemas of Kubernetes are not installed", hint=command("python -m pip install kubernetes-validate"))
    return found


def prepare_schemas(environments: Iterable[Environment], worker: Worker) -> None:
    """Have the worker read the definitions while it builds, which leaves it time."""
    for folder in {schemas(environment.definition.kubernetes_version).folder for environment in environments}:
        worker.request({"prepare": {"schemas": str(folder)}})


def check_schemas(environments: Sequence[EnvironmentGraph], worker: Worker) -> tuple[ObjectSchemaErrors, ...]:
    """What the schemas do not allow, environment by environment; raises DevloopError when the worker cannot judge."""
    answers = worker.ask_all([_question(inspected) for inspected in environments])
    return tuple(found for inspected, answer in zip(environments, answers, strict=True) for found in _violations(inspected, answer))


def _question(inspected: EnvironmentGraph) -> Request:
    chosen = schemas(inspected.environment.definition.kubernetes_version)
    name = scope(inspected.environment.name, inspected.graph.source_directory)
    return {"judge": {"scope": name, "schemas": str(chosen.folder), "minor": chosen.minor}}


def _violations(inspected: EnvironmentGraph, answer: Answer) -> Iterator[ObjectSchemaErrors]:
    if "failure" in answer:
        raise DevloopError(f"the schemas cannot be checked: {answer['failure']['message']}")
    for judged in answer.get("result") or ():
        namespace, _, name = judged["owner"].partition("/")
        found = (
            SchemaError(v["code"], tuple(v["field"]), v["message"], v.get("hint", ""), v.get("assumed", False))
            for v in judged["violations"]
        )
        yield ObjectSchemaErrors(inspected.environment.name, ObjectId(namespace, name), judged["index"], tuple(found))
