"""The objects of a cluster that tell how far Flux has come: listed, then watched. Several waits may follow each other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

from devloop.clients.kube import Kube, Resource
from devloop.clients.watches import Event, Events, Listed, list_all, watch_all
from devloop.model.causes.cause import ObjectRef
from devloop.model.kubernetes.objects import Object

PATIENCE = 10.0  # seconds for the first answers of the API server


@dataclass
class Feed:
    """Lists at `open`, watches from the first `take` on; `objects` are those that exist, as far as they were taken.

    `error` is why a kind cannot be read. Only the last `reader` gets events. Use as a context manager or with `close`.
    """

    kube: Kube
    error: str = ""
    objects: dict[ObjectRef, Object] = field(default_factory=dict)
    reader: object = None
    _opened: dict[Resource, Listed | None] = field(default_factory=dict)
    _watched: set[Resource] = field(default_factory=set)
    _left: int = 0
    _events: Events = field(default_factory=queue.Queue)
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._done.set()

    @property
    def synced(self) -> bool:
        """Whether the existing objects of all kinds are known."""
        return self._left <= 0

    def open(self, resources: Sequence[Resource]) -> None:
        """List those that are not open yet."""
        new = [resource for resource in resources if resource not in self._opened]
        known = list_all(self.kube, new, PATIENCE) if new else {}
        self._left += len(new) - len(known)
        self._opened |= {resource: known.get(resource) for resource in new}
        for listed in known.values():
            self.objects |= {ObjectRef.of(obj): obj for obj in listed.objects}

    def watch(self) -> None:
        """Start to watch what is open."""
        new = [resource for resource in self._opened if resource not in self._watched]
        if new:
            self._watched |= set(new)
            known = {resource: listed for resource in new if (listed := self._opened[resource])}
            watch_all(self.kube, new, self._done, known, self._events)
            self._opened |= dict.fromkeys(new)

    def take(self, reader: object, timeout: float) -> list[Event]:
        """All queued events about objects, waiting `timeout` seconds for the first; none for a reader of an earlier run."""
        taken: list[Event] = []
        if reader is not self.reader:
            return taken
        self.watch()
        try:
            self._note(self._events.get(timeout=timeout), taken)
            while True:
                self._note(self._events.get_nowait(), taken)
        except queue.Empty:
            return taken

    def _note(self, event: Event, taken: list[Event]) -> None:
        kind, obj = event
        if kind == "SYNCED":
            self._left -= 1
        elif kind == "FAILED":
            self.error = obj["message"]
        else:
            if kind == "DELETED":
                self.objects.pop(ObjectRef.of(obj), None)
            else:
                self.objects[ObjectRef.of(obj)] = obj
            taken.append(event)
