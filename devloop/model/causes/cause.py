"""A cause: why an object of an environment is not healthy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from devloop.diagnostic import Related, Severity, Snippet
from devloop.hint import Hint
from devloop.model.kubernetes.objects import Object


class ObjectRef(NamedTuple):
    """An object of the cluster; `namespace` is '' for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Object) -> ObjectRef:
        metadata = obj.get("metadata") or {}
        return cls(str(obj.get("kind", "")), str(metadata.get("namespace") or ""), str(metadata.get("name", "")))

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


class Container(NamedTuple):
    """A container of a pod, to read its log; `previous` for the instance that ended."""

    namespace: str
    pod: str
    name: str
    previous: bool


def unique(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """The first cause of each object and kind."""
    first: dict[tuple[str, ObjectRef, str], Cause] = {}
    for cause in causes:
        first.setdefault((cause.id, cause.object, cause.message), cause)
    return tuple(first.values())


@dataclass(frozen=True)
class Cause:
    """`id` is stable, see ids.py. `kustomization` is the one that the object belongs to (namespace/name), '' if unknown.

    `final`: another revision is needed, or a change from outside; `attempted` is the time (seconds since 1970) of an attempt that
    failed: a later one may succeed if something else became ready since then; 0 if that cannot help. `log` has the last lines of
    `container`. A warning does not make an environment unhealthy. `said` is the whole message of the cluster, if it is longer.

    `path` and `line` are the place in the repository that sets the field ('' and 0: unknown), `related` other places; they are added
    later, and a cause with them is equal to the one without.
    """

    id: str
    object: ObjectRef
    message: str
    kustomization: str = ""
    final: bool = False
    hint: Hint = ""
    severity: Severity = Severity.ERROR
    log: tuple[str, ...] = ()
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    attempted: float = 0.0
    container: Container | None = None
    related: tuple[Related, ...] = field(default=(), compare=False)
    snippet: Snippet | None = field(default=None, compare=False)
    said: str = field(default="", compare=False)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of its places."""
        return tuple(path for path in (self.path, *(each.path for each in self.related)) if path)

    def __str__(self) -> str:
        return f"{self.object}: {self.message}"
