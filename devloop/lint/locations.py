"""Where diagnostics point: their lines, and the patch or the like where one set the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from devloop.clients.worker import Located, Worker
from devloop.diagnostic import Diagnostic, Location, Related, Scope
from devloop.model.flux.graph import Node
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.repository.builds import scope

# A Kustomization of an environment, and the location without its field.
_Key = tuple[Scope, Location]


def locate(found: Sequence[Diagnostic], context: LintContext, worker: Worker) -> list[Diagnostic]:
    """The same in their order, each at the place to edit first; the worker is asked for each place once."""
    environments = {inspected.environment.name: inspected for inspected in context.environments}
    built: dict[_Key, Mapping[str, Any]] = {}
    questions = [_question(each, environments, built) for each in found]
    asked = {repr(question): question for question in questions if question}
    answers = dict(zip(asked, worker.locate(list(asked.values())), strict=True)) if asked else {}
    return [_located(each, answers.get(repr(question))) for each, question in zip(found, questions, strict=True)]


def _located(diagnostic: Diagnostic, located: Located | None) -> Diagnostic:
    own = diagnostic.location
    line = own.line or (located.line if located else 0)
    if located is None or not located.setter:
        return replace(diagnostic, location=replace(own, line=line))
    elsewhere = own.path and (own.path, line) != (located.setter_path, located.setter_line)
    related = (Related(own.path, line, f"{located.setter} for the object"),) if elsewhere else ()
    return replace(diagnostic, location=replace(own, path=located.setter_path, line=located.setter_line), related=related)


def _question(diagnostic: Diagnostic, environments: Mapping[str, EnvironmentGraph], known: dict[_Key, Mapping[str, Any]]) -> dict[str, Any]:
    """What to ask of the worker, nothing where the rule knew the line and nothing else can have set the field."""
    location, within = diagnostic.location, next(iter(diagnostic.scopes), Scope(""))
    key = (within, replace(location, field=()))
    if location.field and within.environment in environments and key not in known:
        known[key] = _built(environments[within.environment], within.kustomization, location)
    built = known.get(key, {}) if location.field else {}
    if not built and (location.line or not location.path):
        return {}
    asked = {name: value for name, value in asdict(location).items() if name not in ("line", "namespace")}
    return asked | ({"built": built} if built else {})


def _built(inspected: EnvironmentGraph, kustomization: str, location: Location) -> Mapping[str, Any]:
    """The build and the index of the object at the location; nothing where no Kustomization renders it."""
    for node in _nodes(inspected, kustomization):
        for index, manifest in enumerate(node.manifests):
            named = (manifest.origin.path, manifest.kind, manifest.name) == (location.path, location.kind, location.name)
            if named and location.namespace in ("", manifest.namespace):
                name = scope(inspected.environment.name, inspected.graph.source_directory)
                return {"scope": name, "owner": str(node.kustomization.id), "index": index}
    return {}


def _nodes(inspected: EnvironmentGraph, kustomization: str) -> Iterator[Node]:
    """Where to look: in the Kustomization that the diagnostic is about, and in the one that renders it."""
    if node := inspected.graph.by_id.get(ObjectId(*kustomization.split("/", 1))) if kustomization else None:
        yield node
        if node.parent and (parent := inspected.graph.by_id.get(node.parent)):
            yield parent
