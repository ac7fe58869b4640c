"""One run at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devloop.clients import lock
from devloop.clients.lock import Busy, exclusive, in_turn, superseding
from devloop.errors import DevloopError, Interrupted


def test_the_second_one_is_waited_who_is_first_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with exclusive(path, "the environment x"), pytest.raises(DevloopError, match=rf"environment x \(process {os.getpid()}\)"):
        _try(path)
    assert not path.exists()


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = f"""
import os, pathlib
from devloop.clients.lock import exclusive
with exclusive(pathlib.Path({str(path)!r}), "x"):
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.exists()
    with exclusive(path, "x"):
        pass


def _try(path: Path) -> None:
    with exclusive(path, "the environment x"):
        pass


def test_who_waits_is_told_once_and_comes_after_the_first(tmp_path: Path) -> None:
    path, waited, order, holders = tmp_path / "x.lock", threading.Event(), [], list[str]()

    def on_wait(holder: str) -> None:
        holders.append(holder)
        waited.set()

    def second() -> None:
        with in_turn(path, on_wait, threading.Event()):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(path, "x"):
        thread.start()
        assert waited.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert holders == [str(os.getpid())]
    assert not path.exists()


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    with exclusive(tmp_path / "x.lock", "x"), pytest.raises(Interrupted), in_turn(tmp_path / "x.lock", lambda _: stop.set(), stop):
        raise AssertionError("it must not get there")


def test_what_fails_inside_is_not_taken_for_a_lock(tmp_path: Path) -> None:
    with pytest.raises(DevloopError, match="inside"), in_turn(tmp_path / "x.lock", lambda _: None, threading.Event()):
        raise DevloopError("inside")
    assert not (tmp_path / "x.lock").exists()


def test_the_wait_for_another_run_ends_and_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    path, me = tmp_path / "x.lock", os.getpid()
    refused = pytest.raises(DevloopError, match=rf"another run \(process {me}\) still holds")
    with exclusive(path, "x"), refused as error, in_turn(path, lambda _: None, threading.Event()):
        raise AssertionError("it must not get there")
    assert str(error.value.hint) == f"wait for it, or end it: kill {me}"


def test_a_role_lets_the_lock_go_when_it_is_asked_and_another_one_keeps_it(tmp_path: Path) -> None:
    path, released = tmp_path / "lock", threading.Event()
    program = "import sys, signal; from pathlib import Path; from devloop.clients.lock import exclusive\n"
    program += "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))\n"
    program += "with exclusive(Path(sys.argv[1]), 'it', sys.argv[2]):\n    print('held', flush=True); sys.stdin.read()"
    for role, lets_go in (("watch", True), ("up", False)):
        holder = subprocess.Popen([sys.executable, "-c", program, path, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        if lets_go:
            with superseding(path, "it", released, "sync", ("sync", "watch")):
                assert holder.wait(timeout=30) == 0
        else:
            with pytest.raises(Busy, match=f"process {holder.pid}"), superseding(path, "it", released, "sync", ("sync", "watch")):
                """Not reached."""
        holder.communicate()


def test_waiting_for_a_role_to_let_go_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    (tmp_path / "lock").touch()
    with open(tmp_path / "lock") as file:  # noqa: PTH123 (flock wants a descriptor that stays open)
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Interrupted), superseding(tmp_path / "lock", "it", stop, "sync", ("sync",)):
            """Not reached."""
