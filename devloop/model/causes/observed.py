"""The objects of a cluster as a watch has seen them. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devloop.model.causes.cause import ObjectRef
from devloop.model.kubernetes.objects import Object


class Observed:
    """The latest version of each object, by kind; an object that was deleted is gone."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[tuple[str, str], Object]] = {}

    def take(self, event: str, obj: Object) -> ObjectRef:
        """Apply one event of a watch (ADDED, MODIFIED, DELETED)."""
        ref = ObjectRef.of(obj)
        if event == "DELETED":
            self._kinds.get(ref.kind, {}).pop(ref[1:], None)
        else:
            self._kinds.setdefault(ref.kind, {})[ref[1:]] = obj
        return ref

    def get(self, ref: ObjectRef) -> Object | None:
        return self._kinds.get(ref.kind, {}).get(ref[1:])

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        for kind in kinds:
            yield from self._kinds.get(kind, {}).values()

    def owned(self, kind: str, owner: Object) -> list[Object]:
        """The objects of `kind` whose controller is `owner`."""
        uid = metadata(owner).get("uid")
        return [obj for obj in self.of_kind(kind) if uid and any(r.get("uid") == uid for r in metadata(obj).get("ownerReferences") or ())]

    def warnings(self, *objects: Object) -> list[Object]:
        """Warning events about exactly these objects (not about others of their names), oldest first."""
        uids = {metadata(obj).get("uid") for obj in objects} - {None}
        found = [event for event in self.of_kind("Event") if (event.get("involvedObject") or {}).get("uid") in uids]
        return sorted(found, key=event_time)


def metadata(obj: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = obj.get("metadata") or {}
    return found


def event_time(event: Object) -> str:
    """The last time of an event, RFC 3339; recorders fill different fields."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp"))
    return str(next((time for time in times if time), ""))
