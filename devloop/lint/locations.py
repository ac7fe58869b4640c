"""Where what rules found stands: lines, and the patch or the like where one set the field. Looked up for findings alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from devloop.clients.worker import Located, Worker
from devloop.model.flux.graph import Node
from devloop.model.flux.kustomization import ObjectId
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.location import Fault, Location
from devloop.model.report import Related
from devloop.repository.builds import scope

# An environment, the Kustomization (namespace/name) that a fault stands in, and the place without its field.
_Key = tuple[str, str, Location]


@dataclass(frozen=True)
class Resolved:
    """The place to edit first; `related` is the object's own, where something else sets the field."""

    path: str
    line: int
    related: tuple[Related, ...] = ()


def locate(faults: Sequence[Fault], subject: LintContext, worker: Worker) -> list[Resolved]:
    """The spot of each fault, in their order; the worker is asked for each place once."""
    environments = {inspected.environment.name: inspected for inspected in subject.environments}
    built: dict[_Key, Mapping[str, Any]] = {}
    questions = [_question(fault, environments, built) for fault in faults]
    asked = {repr(question): question for question in questions if question}
    found = dict(zip(asked, worker.locate(list(asked.values())), strict=True)) if asked else {}
    return [_spot(fault.place, found.get(repr(question))) for fault, question in zip(faults, questions, strict=True)]


def _spot(place: Location, located: Located | None) -> Resolved:
    line = place.line or (located.line if located else 0)
    if located is None or not located.setter:
        return Resolved(place.path, line)
    elsewhere = place.path and (place.path, line) != (located.setter_path, located.setter_line)
    related = (Related(place.path, line, f"{located.setter} for the object"),) if elsewhere else ()
    return Resolved(located.setter_path, located.setter_line, related)


def _question(fault: Fault, environments: Mapping[str, EnvironmentGraph], known: dict[_Key, Mapping[str, Any]]) -> dict[str, Any]:
    """What to ask of the worker, nothing where the rule knew the line and nothing else can have set the field."""
    place = fault.place
    key = (fault.environment, fault.kustomization, replace(place, field=()))
    if place.field and fault.environment in environments and key not in known:
        known[key] = _built(environments[fault.environment], fault)
    built = known.get(key, {}) if place.field else {}
    if not built and (place.line or not place.path):
        return {}
    asked = {name: value for name, value in asdict(place).items() if name not in ("line", "namespace")}
    return asked | ({"built": built} if built else {})


def _built(inspected: EnvironmentGraph, fault: Fault) -> Mapping[str, Any]:
    """The build and the index of the object that the fault is about; nothing where no Kustomization renders it."""
    for node in _nodes(inspected, fault.kustomization):
        for index, manifest in enumerate(node.manifests):
            place = fault.place
            named = (manifest.origin.path, manifest.kind, manifest.name) == (place.path, place.kind, place.name)
            if named and place.namespace in ("", manifest.namespace):
                name = scope(inspected.environment.name, inspected.graph.source_directory)
                return {"scope": name, "owner": str(node.kustomization.id), "index": index}
    return {}


def _nodes(inspected: EnvironmentGraph, kustomization: str) -> Iterator[Node]:
    """Where to look: in the Kustomization that the fault stands in, and in the one that renders it."""
    if node := inspected.graph.by_id.get(ObjectId(*kustomization.split("/", 1))) if kustomization else None:
        yield node
        if node.parent and (parent := inspected.graph.by_id.get(node.parent)):
            yield parent
