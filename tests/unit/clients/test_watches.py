"""A watch goes on after what an API server answers while it starts again."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from devloop.clients import watches
from devloop.clients.kube import KUSTOMIZATIONS, ApiError, Kube


def listed(version: str) -> dict[str, Any]:
    obj = {"kind": "Kustomization", "metadata": {"namespace": "flux-system", "name": "apps", "resourceVersion": version}}
    return {"kind": "KustomizationList", "apiVersion": "v1", "items": [obj], "metadata": {"resourceVersion": version}}


class Server(Kube):
    """Answers each list and each watch in turn: an error's status, or the version of the only object."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = iter(answers)

    def request(self, method: str, path: str, body: object = None, **_: Any) -> Any:
        return listed(self._next())

    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        yield json.dumps({"type": "MODIFIED", "object": listed(self._next())["items"][0]}).encode()

    def _next(self) -> str:
        answer = next(self.answers)
        if isinstance(answer, int):
            raise ApiError(answer, "Forbidden", "not yet")
        return answer


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "PAUSE", 0.0)


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_restarted_server_that_has_not_read_its_roles_is_asked_again(status: int) -> None:
    found = watches.watch(Server("1", "2", status, status, "5", "6"), KUSTOMIZATIONS, threading.Event())
    seen = [(event, obj.get("metadata", {}).get("resourceVersion")) for event, obj in itertools.islice(found, 5) if event != "DELETED"]
    assert seen[:3] == [("ADDED", "1"), ("SYNCED", None), ("MODIFIED", "2")]
    assert ("ADDED", "5") in seen


def test_a_refusal_from_the_beginning_is_final() -> None:
    with pytest.raises(ApiError):
        next(watches.watch(Server(403), KUSTOMIZATIONS, threading.Event()))


def test_an_answer_that_nobody_expects_ends_the_watch_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_list", lambda *_: 1 / 0)
    event, said = watches.watch_all(Server(), [KUSTOMIZATIONS], threading.Event()).get(timeout=10)
    assert (event, "ZeroDivisionError" in said["message"]) == ("FAILED", True)
