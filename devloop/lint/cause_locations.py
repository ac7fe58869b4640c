"""Adds to causes the file and the line that set the offending field, by the same look-up as for findings, and hints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from devloop.clients.worker import Worker
from devloop.diagnostic import Diagnostic, Location, Related, Scope
from devloop.lint.locations import locate
from devloop.lint.snippets import lines_around, read_text
from devloop.model.causes.cause import Cause
from devloop.model.causes.field_paths import value_at
from devloop.model.causes.hints import hint_of
from devloop.model.causes.observed import Observed
from devloop.model.causes.place import Place
from devloop.model.causes.places import places
from devloop.model.causes.rendered import Owners, Rendered, no_owners
from devloop.model.causes.template_lines import only_line, says, template_line
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Graph
from devloop.model.lint.context import EnvironmentGraph, LintContext

MOST_RELATED = 3


class CauseLocator:
    """Looks up causes in what the graph renders; asks the worker for all of them at once.

    `live` is the cluster if it may run another revision: then a field that differs there has no line.
    """

    def __init__(self, environment: Environment, graph: Graph, worker: Worker, live: Observed | None = None) -> None:
        self.root = environment.root
        self._environment = environment
        self._worker = worker
        self._live = live
        self._context = LintContext((EnvironmentGraph(environment, graph),))
        self._rendered = Rendered(graph)

    def locate(self, causes: Iterable[Cause], owners: Owners = no_owners) -> tuple[Cause, ...]:
        """The causes in their order; raises DevloopError if the worker dies."""
        listed = tuple(causes)
        wanted = [self._places(cause, owners) for cause in listed]
        exact = [place for group in wanted for place in group if place.is_exact]
        found = iter(locate([self._question(place) for place in exact], self._context, self._worker))
        answers = [[next(found) if place.is_exact else self._question(place) for place in group] for group in wanted]
        return tuple(self._located(cause, group, answer) for cause, group, answer in zip(listed, wanted, answers, strict=True))

    def _places(self, cause: Cause, owners: Owners) -> list[Place]:
        """The first whose file exists, and those that are related."""
        own: list[Place] = []
        related: list[Place] = []
        for place in places(cause, self._rendered, owners):
            if self._exists(place) and (place.note or not own):
                (related if place.note else own).append(self._checked(place, cause))
        return own + [place for place in related if place.is_exact][:MOST_RELATED]

    def _checked(self, place: Place, cause: Cause) -> Place:
        """The file alone, if the cluster has something else."""
        if self._live is None or place.holds(cause, self._live):
            return place
        return replace(place, location=Location(place.location.path), is_exact=False)

    def _exists(self, place: Place) -> bool:
        path = place.location.path
        return bool(path) and (self.root / path).is_file()

    def _question(self, place: Place) -> Diagnostic:
        return Diagnostic("", place.location, scopes=(Scope(self._environment.name, place.kustomization),))

    def _located(self, cause: Cause, group: Sequence[Place], answers: Sequence[Diagnostic]) -> Cause:
        cause = replace(cause, hint=hint_of(cause, self._rendered))
        if not answers or group[0].note:
            return cause
        own, *others = [self._in_template(place, each) for place, each in zip(group, answers, strict=True)]
        notes = [Related(each.path, each.line, place.note) for place, each in zip(group[1:], others, strict=True)]
        related = tuple(note for note in (*own.related, *notes) if (note.path, note.line) != (own.path, own.line))
        return replace(cause, path=own.path, line=own.line, related=related, snippet=lines_around(self.root, own))

    def _agrees(self, place: Place, found: Diagnostic) -> bool:
        """Whether the line may have the value: an item of a list may have another index in its file than in the object."""
        field = place.location.field
        if found.path != place.location.path or not any(isinstance(step, int) for step in field):
            return True
        assert place.manifest
        lines = read_text(self.root, found.path).splitlines()
        return says(lines[found.line - 1], value_at(place.manifest.body, field)) if 0 < found.line <= len(lines) else True

    def _in_template(self, place: Place, found: Diagnostic) -> Diagnostic:
        """With the line of a template, which is no YAML, or that of a word that only one line of the file has."""
        manifest, path = place.manifest, place.location.path
        if place.text and not found.line:
            return replace(found, location=replace(found.location, line=only_line(read_text(self.root, path), place.text)))
        if not place.is_exact or manifest is None:
            return found
        if not manifest.release:
            return found if self._agrees(place, found) else replace(found, location=replace(found.location, line=0), related=())
        line = template_line(read_text(self.root, path), manifest.kind, manifest.name, place.location.field)
        if found.path == path:
            return replace(found, location=replace(found.location, line=line))
        return replace(found, related=tuple(replace(each, line=line) if each.path == path else each for each in found.related))
