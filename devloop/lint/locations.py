"""Looks up the lines of diagnostics, and the patch or other transformer that set the field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import cast

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Located, Worker
from devloop.diagnostic import Diagnostic, Location, Related, Scope
from devloop.model.flux.graph import Node
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.repository.builds import scope_of

# A Kustomization of an environment, and the location without its field.
_Key = tuple[Scope, Location]


def locate(diagnostics: Sequence[Diagnostic], context: LintContext, worker: Worker) -> list[Diagnostic]:
    """The diagnostics in their order, each at the place to edit; asks the worker for each location once."""
    environments = {built.environment.name: built for built in context.environments}
    known: dict[_Key, protocol.ScopedReference | None] = {}
    requests = [_request(each, environments, known) for each in diagnostics]
    unique = {repr(request): request for request in requests if request}
    answers = dict(zip(unique, worker.locate(list(unique.values())), strict=True)) if unique else {}
    return [_located(each, answers.get(repr(request))) for each, request in zip(diagnostics, requests, strict=True)]


def request(location: Location) -> protocol.Place:
    """What the worker needs to find the line."""
    return cast("protocol.Place", {name: value for name, value in asdict(location).items() if name != "line"})


def _located(diagnostic: Diagnostic, located: Located | None) -> Diagnostic:
    own = diagnostic.location
    line = own.line or (located.line if located else 0)
    if located is None or not located.setter:
        return replace(diagnostic, location=replace(own, line=line))
    elsewhere = own.path and (own.path, line) != (located.setter_path, located.setter_line)
    related = (Related(own.path, line, f"{located.setter} for the object"),) if elsewhere else ()
    return replace(diagnostic, location=replace(own, path=located.setter_path, line=located.setter_line), related=related)


def _request(
    diagnostic: Diagnostic, environments: Mapping[str, EnvironmentGraph], known: dict[_Key, protocol.ScopedReference | None]
) -> protocol.Place | None:
    """None if the rule gave the line and no transformer can have set the field."""
    location, owner = diagnostic.location, next(iter(diagnostic.scopes), Scope(""))
    key = (owner, replace(location, field=()))
    if location.field and owner.environment in environments and key not in known:
        known[key] = _build(environments[owner.environment], owner.kustomization, location)
    built = known.get(key) if location.field else None
    if not built and (location.line or not location.path):
        return None
    found = request(location)
    if built:
        found["built"] = built
    return found


def _build(built: EnvironmentGraph, kustomization: str, location: Location) -> protocol.ScopedReference | None:
    """The build and index of the object at the location; None if no Kustomization renders it."""
    for node in _nodes(built, kustomization):
        for index, manifest in enumerate(node.manifests):
            named = (manifest.origin.path, manifest.kind, manifest.name) == (location.path, location.kind, location.name)
            if named and location.namespace in ("", manifest.namespace):
                name = scope_of(built.graph)
                return {"scope": name, "owner": str(node.kustomization.id), "index": index}
    return None


def _nodes(built: EnvironmentGraph, kustomization: str) -> Iterator[Node]:
    """The Kustomization of the diagnostic and its parent."""
    if node := built.graph.by_id.get(ObjectId(*kustomization.split("/", 1))) if kustomization else None:
        yield node
        if node.parent and (parent := built.graph.by_id.get(node.parent)):
            yield parent
