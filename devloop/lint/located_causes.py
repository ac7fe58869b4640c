"""Causes with their files and lines, looked up in the background, so that a wait for the cluster goes on meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from devloop.clients.background import in_background
from devloop.clients.git import remotes
from devloop.errors import DevloopError
from devloop.lint.cause_locations import CauseLocator
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import Observed
from devloop.model.causes.rendered import Owners, no_owners, owners_in
from devloop.model.flux.graph import Graph
from devloop.repository.graph import build_graph
from devloop.repository.snapshot import snapshot

if TYPE_CHECKING:
    from devloop.session import Session

PATIENCE = 5.0  # seconds for the lines of a verdict
# Causes of everything that is on its way: no line says more, and to look for one takes time from the controllers.
PASSING = frozenset({"kustomization/progressing", "kustomization/missing", "release/progressing", "workload/not-available"})
LASTING = 1.0  # seconds after which a cause that may go away is looked up
AT_ONCE = 8  # so that the first ones do not wait for all others
MOST_KNOWN = 500  # causes of earlier moments of a long wait

_Key = tuple[str, ObjectRef, str, str]


class LocatedCauses:
    """Looks up each cause once. `open_locator` is called with the first cause; without an answer a cause has no place."""

    def __init__(self, open_locator: Callable[[], CauseLocator], owners: Owners = no_owners) -> None:
        self._open = open_locator
        self._owners = owners
        self._locator: CauseLocator | None = None
        self._known: dict[_Key, Cause] = {}
        self._search: Future[None] | None = None
        self._since: dict[_Key, float] = {}
        self._asked: tuple[Cause, ...] = ()
        self._answer: tuple[Cause, ...] = ()
        self._searches = self._seen = 0  # parts that ended, now and for the last answer

    def now(self, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
        """With the places that are known so far; looks for those of causes that stay. The same tuple as before if nothing has changed."""
        moment = time.monotonic()
        self._since = {key: self._since.get(key, moment) for key in map(_key, causes)}
        self.look_for([c for c in causes if c.final or (c.id not in PASSING and moment - self._since[_key(c)] >= LASTING)])
        return self._with_places(causes)

    def _with_places(self, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
        if causes is not self._asked or self._searches != self._seen:
            self._asked, self._seen = causes, self._searches
            self._answer = tuple(map(self._placed, causes))
        return self._answer

    def _placed(self, cause: Cause) -> Cause:
        found = self._known.get(_key(cause))
        if found is None:
            return cause
        return replace(cause, path=found.path, line=found.line, related=found.related, snippet=found.snippet, hint=found.hint)

    def complete(self, causes: Iterable[Cause]) -> tuple[Cause, ...]:
        """With all places, or those that were found in a few seconds."""
        wanted = tuple(causes)
        for _ in range(2):  # a search that runs already, and one for the rest
            self.look_for(wanted)
            if self._search:
                with contextlib.suppress(TimeoutError):
                    self._search.result(PATIENCE)
        return self._with_places(wanted)

    def look_for(self, causes: Iterable[Cause]) -> None:
        """Begin to look for the places of causes, unless a search runs already."""
        unknown = [cause for cause in causes if _key(cause) not in self._known]
        if unknown and (self._search is None or self._search.done()):
            self._search = in_background(lambda: self._find(unknown), "lines of causes")

    def _find(self, causes: list[Cause]) -> None:
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        for start in range(0, len(causes), AT_ONCE):
            some = causes[start : start + AT_ONCE]
            self._known.update(zip(map(_key, some), self._located(some), strict=True))
            self._searches += 1

    def _located(self, causes: Sequence[Cause]) -> Sequence[Cause]:
        try:
            self._locator = self._locator or self._open()
            return self._locator.locate(causes, self._owners)
        except DevloopError:  # the worker died or was closed
            return causes


def _key(cause: Cause) -> _Key:
    """What its place depends on."""
    return cause.id, cause.object, cause.said or cause.message, cause.kustomization


def locating(session: Session, graph: Graph, observed: Observed) -> LocatedCauses:
    """For the wait of a run that has built its graph."""
    return LocatedCauses(lambda: CauseLocator(session.environment, graph, session.worker), owners_in(observed))


def locating_later(session: Session, observed: Observed, revision: str) -> LocatedCauses:
    """For a run without a graph: builds it with the first cause. The working tree may not be what runs at `revision`."""

    def open_locator() -> CauseLocator:
        root = session.environment.root
        graph = build_graph(session.environment, session.worker, remotes=remotes(root))
        same = snapshot(root, graph.source_directory).revision == revision
        return CauseLocator(session.environment, graph, session.worker, None if same else observed)

    return LocatedCauses(open_locator, owners_in(observed))
