"""A run without a terminal says what it waits for."""

from __future__ import annotations

import threading

import pytest

from devloop.clients.wait import until
from devloop.console import Console, heartbeat
from devloop.model.report import Progress, Reconciling, StepStarted

from .test_console import BLOCKED, READY, Clock


@pytest.mark.parametrize("output", ["text", "json"])
def test_without_a_terminal_a_silent_run_says_what_it_waits_for(
    output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.02)
    shown: list[str] = []
    expected = "still running: cluster 0 s, reconcile 0 s (kind 50%; 1 of 2 Kustomizations ready, not flux-system/web)"

    def is_shown_twice() -> bool:
        captured = capsys.readouterr()
        shown.append(captured.out if output == "text" else captured.err)
        assert output == "text" or captured.out == ""
        return "".join(shown).count(expected) >= 2

    with Console(output) as console:
        for title in ("cluster", "reconcile"):
            console.emit(StepStarted(title))
        console.emit(Progress("cluster", "kind", 0.5))
        console.emit(Reconciling((READY, BLOCKED)))
        until(is_shown_twice, "the line", patience=5, stop=threading.Event(), hint="", pause=0.01)
        beating = [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
    assert beating
    for thread in beating:
        thread.join(5)
        assert not thread.is_alive()


def test_a_run_without_steps_says_that_it_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.02)
    with Console():
        out = until(lambda: capsys.readouterr().out, "a line", patience=5, stop=threading.Event(), hint="", pause=0.01)
    assert "still running: for 0 s" in out


def test_output_resets_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[float] = []
    clock = Clock()
    monkeypatch.setattr(heartbeat, "time", clock)
    monkeypatch.setattr(heartbeat, "threading", clock)
    beating = heartbeat.Heartbeat(lambda: beats.append(clock.now))
    beating.start()
    for _ in range(8):
        clock.sleep(heartbeat.INTERVAL / 2)
        beating.note()
    noted = clock.now
    clock.sleep(heartbeat.INTERVAL * 1.5)
    beating.stop()
    clock.sleep(heartbeat.INTERVAL * 1.5)
    assert beats == [noted + heartbeat.INTERVAL]
