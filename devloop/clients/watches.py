"""Lists and watches of an API server: the existing objects, then every change."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from devloop.clients.kube import ApiError, Kube, NotFoundError, Resource, items_of
from devloop.errors import DevloopError
from devloop.model.kubernetes.objects import Object

PAUSE = 0.2  # seconds between two attempts to connect
CONNECTIONS = 4  # at the same time for lists
SHORTEST = 0.1  # seconds for a list
TEMPORARY = (404, 410, 429, 500, 503)  # 404: a kind that the server does not know (yet)
# What an API server answers for a moment after a restart, until it has read its roles.
UNPREPARED = (401, 403)

Event = tuple[str, Object]
Events = queue.Queue[Event]


class Listed(NamedTuple):
    """The existing objects; `version` is where a watch goes on, '' if the server does not know the kind."""

    objects: Sequence[Object] = ()
    version: str = ""


def list_all(kube: Kube, resources: Sequence[Resource], timeout: float) -> dict[Resource, Listed]:
    """Without those that the server did not answer within `timeout` seconds, which all of them share."""
    deadline = time.monotonic() + timeout

    def attempt(resource: Resource) -> Listed | None:
        try:
            return _list(kube, resource, "", max(SHORTEST, deadline - time.monotonic()))
        except NotFoundError:
            return Listed()
        except DevloopError:
            return None

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        answers = zip(resources, pool.map(attempt, resources), strict=True)
        return {resource: listed for resource, listed in answers if listed is not None}


def watch_all(
    kube: Kube,
    resources: Sequence[Resource],
    stop: threading.Event,
    known: Mapping[Resource, Listed] | None = None,
    events: Events | None = None,
) -> Events:
    """The events of several kinds in one queue, without the objects that are `known`; SYNCED and FAILED come with {"kind": plural}."""
    queued: Events = queue.Queue() if events is None else events

    def pump(resource: Resource) -> None:
        try:
            for event, obj in watch(kube, resource, stop, known=(known or {}).get(resource)):
                queued.put((event, obj or {"kind": resource.plural}))
        except DevloopError as error:
            queued.put(("FAILED", {"kind": resource.plural, "message": str(error)}))
        except Exception as error:  # noqa: BLE001 (who waits for the events must not wait for ever)
            queued.put(("FAILED", {"kind": resource.plural, "message": repr(error)}))

    for resource in resources:
        threading.Thread(target=pump, args=(resource,), name=f"watch-{resource.plural}", daemon=True).start()
    return queued


def watch(kube: Kube, resource: Resource, stop: threading.Event, namespace: str = "", known: Listed | None = None) -> Iterator[Event]:
    """(type, object) of every change until `stop` is set.

    The existing objects come first (ADDED), then SYNCED, once; without either if they are `known`. After a reconnect the existing objects
    come again, and DELETED for those that are gone.
    """
    seen = {_key(obj): _brief(obj) for obj in known.objects} if known else {}
    version, synced = known.version if known else "", known is not None
    while not stop.is_set():
        try:
            if not version:
                objects, version = _list(kube, resource, namespace)
                yield from _changes(seen, objects)
                if not synced:
                    synced = True
                    yield "SYNCED", {}
            for event, obj in _events(kube, resource, namespace, version, stop):
                version = (obj.get("metadata") or {}).get("resourceVersion", version)
                if event == "ERROR":
                    version = ""
                    break
                if event != "BOOKMARK":
                    _note(seen, event, obj)
                    yield event, obj
        except ApiError as error:
            if error.status not in (*TEMPORARY, *(UNPREPARED if synced else ())):
                raise
            if error.status == 404:
                yield from _changes(seen, ())
            if error.status == 404 and not synced:
                synced = True
                yield "SYNCED", {}
            version = ""
            stop.wait(PAUSE)
        except DevloopError:
            stop.wait(PAUSE)


def _list(kube: Kube, resource: Resource, namespace: str, timeout: float = 30.0) -> Listed:
    answer = kube.request("GET", resource.path(namespace), query=resource.query, timeout=timeout)
    return Listed(items_of(answer), answer["metadata"]["resourceVersion"])


def _changes(seen: dict[tuple[str, str], Object], objects: Sequence[Object]) -> Iterator[Event]:
    """The events that lead from the objects `seen` to those that exist now."""
    current = {_key(obj): obj for obj in objects}
    for key in seen.keys() - current.keys():
        yield "DELETED", seen.pop(key)
    for key, obj in current.items():
        seen[key] = _brief(obj)
        yield "ADDED", obj


def _note(seen: dict[tuple[str, str], Object], event: str, obj: Object) -> None:
    if event == "DELETED":
        seen.pop(_key(obj), None)
    else:
        seen[_key(obj)] = _brief(obj)


def _brief(obj: Object) -> Object:
    """What names an object."""
    namespace, name = _key(obj)
    return {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), "metadata": {"namespace": namespace, "name": name}}


def _key(obj: Object) -> tuple[str, str]:
    metadata = obj.get("metadata") or {}
    return metadata.get("namespace", ""), metadata.get("name", "")


def _events(kube: Kube, resource: Resource, namespace: str, version: str, stop: threading.Event) -> Iterator[Event]:
    query = {**resource.query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": "300"}
    for line in kube.stream(resource.path(namespace), query):
        if stop.is_set():
            return
        if line:
            event = json.loads(line)
            yield event["type"], event["object"]
