"""Where a cause about a HelmRelease has to be looked for: in its spec, in its chart, or at an object that the chart makes. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.diagnostic import Location
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.field_paths import Field, has
from devloop.model.causes.place import Place, best_place, place_of
from devloop.model.causes.refused_fields import fields_of_refusal
from devloop.model.causes.release_fields import chart_fields, missing_dependency, named_object, template_line, values_fields
from devloop.model.causes.rendered import Rendered, RenderedObject
from devloop.model.flux.graph import Failure, Release

_CHART_NAME = re.compile(r"with chart ([\w.-]+?)@")


def release_places(cause: Cause, message: str, found: RenderedObject, rendered: Rendered) -> Iterator[Place]:
    """The best first; the others are related, or for a file that does not exist."""
    release = rendered.release(ObjectRef("HelmRelease", found.manifest.id.namespace, found.manifest.id.name))
    folder = release.chart if release else ""
    match cause.id.partition("/")[2]:
        case "values":
            yield from _values(message, found, folder)
        case "render":
            yield from _files(template_line(message, folder), found)
            yield from _failure(release, found)
        case "chart-missing":
            yield from _chart(message, found, folder)
        case "chart-unchanged":
            yield _in_file(f"{folder}/Chart.yaml", found, ("version",))
        case "suspended":
            yield place_of(found, "spec", "suspend")
        case "hook" | "failed" | "progressing":
            yield from _object(message, found, rendered, folder)
            yield from _dependency(message, found)
    yield place_of(found)


def _values(message: str, found: RenderedObject, folder: str) -> Iterator[Place]:
    """Keys of the release's values; of the chart's own values for those that it does not set."""
    name = _CHART_NAME.search(message)
    body = found.manifest.body
    for field in values_fields(message, body, name[1] if name else ""):
        own_values = field[:2] == ("spec", "values") and not has(body, field)
        if own_values and folder and not has(body, field[:-1]):
            yield _in_file(f"{folder}/values.yaml", found, field[2:])
        yield best_place(found, [field])


def _failure(release: Release | None, found: RenderedObject) -> Iterator[Place]:
    if release and release.failure:
        yield from failure_places(release.failure, str(found.node.kustomization.id), found)


def failure_places(failure: Failure, kustomization: str, found: RenderedObject | None) -> Iterator[Place]:
    """Where the graph knows that a build or a release failed; `found` is the Kustomization or HelmRelease as an object."""
    if failure.path:
        text = "" if failure.line else failure.message
        yield Place(Location(failure.path, failure.line), kustomization, is_exact=bool(failure.line), text=text)
    elif found and failure.field:
        yield best_place(found, [failure.field])


def _chart(message: str, found: RenderedObject, folder: str) -> Iterator[Place]:
    name = missing_dependency(message)
    if name and folder:
        yield _in_file(f"{folder}/Chart.yaml", found, ("dependencies", {"name": name}))
    yield best_place(found, chart_fields(message, found.manifest.body))


def _object(message: str, found: RenderedObject, rendered: Rendered, folder: str) -> Iterator[Place]:
    """The object of the release that the message names, and its fields."""
    kind, name = named_object(message)
    if name and (made := rendered.named(kind, name, release=str(found.manifest.id))):
        yield best_place(made, fields_of_refusal(message, made.manifest))
    yield from _files(template_line(message, folder), found)


def _dependency(message: str, found: RenderedObject) -> Iterator[Place]:
    """A release of spec.dependsOn."""
    if named := re.search(r"dependency '(?:[^/']*/)?([^']+)'", message):
        field: Field = ("spec", "dependsOn", {"name": named[1]}, "name")
        if has(found.manifest.body, field):
            yield best_place(found, [field])


def _files(lines: Iterator[tuple[str, int]], found: RenderedObject) -> Iterator[Place]:
    for path, line in lines:
        yield Place(Location(path, line), str(found.node.kustomization.id), is_exact=bool(line))


def _in_file(path: str, found: RenderedObject, field: Field) -> Place:
    """A field of a file of the chart."""
    return Place(Location(path, field=field), str(found.node.kustomization.id))
