"""The objects of a cluster as a watch has seen them. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devloop.model.causes.cause import ObjectRef
from devloop.model.kubernetes.objects import Object

# An object is found by its owners, an event by what it is about.
Link = tuple[str, str]  # kind of the linked object, UID of the other one


class Observed:
    """The latest version of each object, by kind; an object that was deleted is gone."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[ObjectRef, Object]] = {}
        self._linked: dict[Link, dict[ObjectRef, Object]] = {}

    def take(self, event: str, obj: Object) -> ObjectRef:
        """Apply one event of a watch (ADDED, MODIFIED, DELETED)."""
        ref = ObjectRef.of(obj)
        if before := self._kinds.get(ref.kind, {}).pop(ref, None):
            for link in _links(before):
                self._linked[link].pop(ref, None)
        if event != "DELETED":
            self._kinds.setdefault(ref.kind, {})[ref] = obj
            for link in _links(obj):
                self._linked.setdefault(link, {})[ref] = obj
        return ref

    def get(self, ref: ObjectRef) -> Object | None:
        return self._kinds.get(ref.kind, {}).get(ref)

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        for kind in kinds:
            yield from self._kinds.get(kind, {}).values()

    def owned(self, kind: str, owner: Object) -> list[Object]:
        """The objects of `kind` that `owner` owns."""
        return self._linked_to(kind, [owner])

    def warnings(self, *objects: Object) -> list[Object]:
        """Warning events about exactly these objects (not about others of their names), oldest first."""
        return sorted(self._linked_to("Event", objects), key=event_time)

    def _linked_to(self, kind: str, objects: Iterable[Object]) -> list[Object]:
        uids = [str(metadata(obj).get("uid", "")) for obj in objects]
        return [linked for uid in uids if uid for linked in self._linked.get((kind, uid), {}).values()]


def _links(obj: Object) -> list[Link]:
    kind, about = str(obj.get("kind", "")), obj.get("involvedObject") or {}
    uids = [about.get("uid"), *(owner.get("uid") for owner in metadata(obj).get("ownerReferences") or ())]
    return [(kind, str(uid)) for uid in uids if uid]


def metadata(obj: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = obj.get("metadata") or {}
    return found


def event_time(event: Object) -> str:
    """The last time of an event, RFC 3339; recorders fill different fields."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp"))
    return str(next((time for time in times if time), ""))
