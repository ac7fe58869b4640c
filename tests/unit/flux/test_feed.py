"""A feed that broke: the wait ends, and the next run opens another one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from devloop.clients.kube import ApiError, Kube
from devloop.errors import DevloopError
from devloop.flux.feed import Feed
from devloop.flux.watching import Watching
from devloop.model.causes.expected import Expected
from devloop.model.flux.reconciliation import Reconciliation
from devloop.steps import Output
from devloop.steps.feed import OpenFeed
from devloop.steps.wait import _Wait


class Forbidden(Kube):
    """Lists once and refuses afterwards, with an answer that no waiting changes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def request(self, method: str, path: str, body: object = None, **_: Any) -> Any:
        return {"kind": "List", "items": [], "metadata": {"resourceVersion": "1"}}

    def stream(self, path: str, query: object) -> Any:
        self.asked.append(path)
        raise ApiError(400, "BadRequest", "no")


@pytest.fixture
def session() -> Any:
    stop = SimpleNamespace(is_set=lambda: False)
    return SimpleNamespace(kube=Forbidden(), stop=stop, emit=lambda _: None, environment=SimpleNamespace(name="local"))


def broken(session: Any) -> Output[Feed]:
    feed: Output[Feed] = Output()
    OpenFeed(feed).run(session)
    watching = Watching(feed.value, Reconciliation(Expected("main@sha1:a", {}), 0.0))
    while not feed.value.error:
        watching.drain()
    return feed


def test_a_wait_ends_when_the_cluster_cannot_be_watched(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = broken(session)
    monkeypatch.setattr("devloop.steps.wait.locating", lambda *_: None)
    nothing: Any = None
    watching = Watching(feed.value, Reconciliation(Expected("main@sha1:a", {}), 0.0))
    with pytest.raises(DevloopError, match=r"cannot be watched: .*BadRequest"):
        _Wait(session, nothing, watching, nothing, 5.0).run()


def test_the_next_run_opens_another_feed(session: Any) -> None:
    feed = broken(session)
    before = feed.value
    OpenFeed(feed).run(session)
    assert feed.value is not before
    assert not feed.value.error
