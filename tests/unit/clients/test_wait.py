"""Waiting ends when it happens, when time runs out, and within a second of an interruption, whatever hangs."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from devloop.clients.background import TooLate, unless_stopped
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError, Interrupted


def test_the_first_true_value_is_the_answer() -> None:
    count = itertools.count()
    assert until(lambda: next(count) >= 2 and "there", "it", patience=5, stop=threading.Event(), hint="", pause=0.01) == "there"


def test_time_runs_out_with_a_hint() -> None:
    with pytest.raises(WaitTimeout, match="it did not come within 0 s") as caught:
        until(lambda: False, "it", patience=0.05, stop=threading.Event(), hint=lambda: "look here", pause=0.01)
    assert str(caught.value.hint) == "look here"


def test_an_error_ends_the_wait() -> None:
    def fail() -> bool:
        raise DevloopError("it will never be there")

    with pytest.raises(DevloopError, match="never"):
        until(fail, "it", patience=5, stop=threading.Event(), hint="")


@pytest.mark.parametrize("seconds", [0.0, 30.0])
def test_an_interruption_ends_it_within_a_second(seconds: float) -> None:
    """Also where a look hangs."""
    stop, hanging = threading.Event(), threading.Event()
    threading.Timer(0.1, stop.set).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        until(lambda: hanging.wait(seconds), "it", patience=60, stop=stop, hint="")
    assert time.monotonic() - start < 1.1
    hanging.set()


def test_work_that_ends_is_not_disturbed_by_a_later_stop() -> None:
    assert unless_stopped(lambda: 3, "it", threading.Event()) == 3


def test_work_that_hangs_ends_with_its_time() -> None:
    hanging = threading.Event()
    with pytest.raises(TooLate, match="it did not come within 0 s"):
        unless_stopped(hanging.wait, "it", threading.Event(), 0.05)
    hanging.set()


def test_a_look_that_hangs_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devloop.clients.wait.LAST_LOOK", 0.05)
    hanging = threading.Event()
    with pytest.raises(WaitTimeout, match="it did not come within 0 s") as caught:
        until(hanging.wait, "it", patience=0.05, stop=threading.Event(), hint="look here")
    assert str(caught.value.hint) == "look here"
    hanging.set()
