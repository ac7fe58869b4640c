"""A place in the repository that a cause is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devloop.diagnostic import Location
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.field_paths import Field, has, reached, value_at
from devloop.model.causes.observed import Observed
from devloop.model.causes.rendered import RenderedObject
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import location_of


@dataclass(frozen=True)
class Place:
    """`kustomization` (namespace/name) renders the object `manifest`; `note` says what a related place is.

    `is_exact`: whether the line may be looked up; if not, the file is all that is known, and that a line of it may have a word of `text`.
    """

    location: Location
    kustomization: str = ""
    note: str = ""
    is_exact: bool = True
    manifest: Manifest | None = None
    text: str = ""

    def holds(self, cause: Cause, live: Observed) -> bool:
        """Whether the field is in the cluster as it is here, or as the message of the cause says; the object as such has no field."""
        field, manifest = self.location.field, self.manifest
        if not field or not manifest:
            return not (field or self.location.line)
        value, obj = value_at(manifest.body, field), live.get(ObjectRef(manifest.kind, manifest.namespace, manifest.name))
        if isinstance(value, Mapping | list):
            return obj is not None and has(obj, field)
        said = f"Invalid value: {value}" in cause.said or f'Invalid value: "{value}"' in cause.said
        return said or (obj is not None and value_at(obj, field) == value)


def place_of(found: RenderedObject, *field: object, note: str = "") -> Place:
    """A field of an object, or the object."""
    return Place(location_of(found.manifest, *field), str(found.node.kustomization.id), note, manifest=found.manifest)  # type: ignore[arg-type]


def best_place(found: RenderedObject, candidates: Iterable[Field]) -> Place:
    """The first field that the object has, else the nearest one above the first candidate, else the object."""
    fields = tuple(candidates)
    body = found.manifest.body
    best = next((field for field in fields if has(body, field)), fields[0] if fields else ())
    return place_of(found, *reached(body, best))


def file_of(found: RenderedObject) -> Place:
    """The file of an object that does not say what the cause is about."""
    return Place(Location(found.manifest.origin.path), str(found.node.kustomization.id), is_exact=False)
