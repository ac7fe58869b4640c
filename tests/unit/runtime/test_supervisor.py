"""A real supervisor process with small programs."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devloop.clients.orphans import resident_memory
from devloop.runtime import children, control
from devloop.runtime.components import MARKER, Component, environment_for
from devloop.runtime.layout import Layout

SLEEP = ("sleep", "1000")
DIE = ("sh", "-c", "echo last words; exit 3")


def launch(layout: Layout) -> None:
    with control.launched(layout, threading.Event()):
        """Nothing to do in parallel."""


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """An environment's folder without a supervisor; ends all its processes afterwards."""
    result = Layout(tmp_path / "environment")
    result.make()
    yield result
    control.end(result)


@pytest.fixture
def supervised(layout: Layout) -> Layout:
    launch(layout)
    return layout


def until(condition: Callable[[], Any]) -> Any:
    """The first true value of the condition; fails the test after 30 seconds."""
    for _ in range(1500):
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("it did not happen")


def start(layout: Layout, name: str, argv: tuple[str, ...] = SLEEP, **env: str) -> bool:
    return control.start(layout, [Component(name, argv, env)])


def component(layout: Layout, name: str) -> dict[str, Any]:
    components: list[dict[str, Any]] = control.ask(layout, {"op": "status"})["components"]
    return next(item for item in components if item["name"] == name)


def pid(layout: Layout, name: str) -> int:
    return int(component(layout, name)["pid"])


def running(layout: Layout, name: str) -> int:
    return int(until(lambda: pid(layout, name)))


def marked(layout: Layout) -> list[psutil.Process]:
    """Every process of the environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == str(layout.folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def supervisor(layout: Layout) -> psutil.Process:
    return next(process for process in marked(layout) if "devloop.runtime.supervisor" in process.cmdline())


def test_it_starts_programs_and_reports_their_status(supervised: Layout) -> None:
    assert start(supervised, "one", ("sh", "-c", "echo it runs; exec sleep 1000"))
    assert start(supervised, "two")
    until(lambda: "it runs" in supervised.log("one").read_text())
    for name in ("one", "two"):
        assert psutil.Process(pid(supervised, name)).ppid() == supervisor(supervised).pid
        status = component(supervised, name)
        assert (status["state"], status["restarts"], status["failures"]) == ("running", 0, 0)
        assert status["memory"] > 0
    assert control.ask(supervised, {"op": "status"})["memory"] > 0


def test_starting_the_same_component_again_changes_nothing(supervised: Layout) -> None:
    start(supervised, "one", SLEEP, A="1")
    first = pid(supervised, "one")
    assert not start(supervised, "one", SLEEP, A="1")
    assert pid(supervised, "one") == first


@pytest.mark.parametrize(("argv", "env"), [(("sleep", "2000"), "1"), (SLEEP, "2")])
def test_a_changed_command_restarts_only_that_component(supervised: Layout, argv: tuple[str, ...], env: str) -> None:
    start(supervised, "one", SLEEP, A="1")
    start(supervised, "two")
    first, second = pid(supervised, "one"), pid(supervised, "two")
    assert control.start(supervised, [Component("one", argv, {"A": env}), Component("two", SLEEP)])
    assert pid(supervised, "one") != first
    assert pid(supervised, "two") == second
    assert not psutil.pid_exists(first)


def test_a_killed_component_is_restarted_and_counted(supervised: Layout) -> None:
    start(supervised, "one")
    for count in (1, 2):
        before = running(supervised, "one")
        os.kill(before, signal.SIGKILL)
        until(lambda before=before: pid(supervised, "one") not in (0, before))
        status = component(supervised, "one")
        assert (status["restarts"], status["ended_with"]) == (count, -signal.SIGKILL)


def test_a_crashing_component_reports_its_status_and_log(supervised: Layout) -> None:
    start(supervised, "one", DIE)
    until(lambda: component(supervised, "one")["failures"] >= 3)
    assert component(supervised, "one")["ended_with"] == 3
    assert supervised.log("one").read_text().count("last words") >= 3


def test_a_missing_program_does_not_affect_others(supervised: Layout) -> None:
    assert control.start(supervised, [Component("one", ("/no/such/program",)), Component("two", SLEEP)])
    until(lambda: component(supervised, "one")["failures"] >= 2)
    assert component(supervised, "one")["ended_with"] == children.CANNOT_START
    assert "cannot run /no/such/program: No such file or directory" in supervised.log("one").read_text()
    assert component(supervised, "two")["state"] == "running"


def test_a_start_request_skips_the_back_off(supervised: Layout) -> None:
    start(supervised, "one", DIE)
    until(lambda: component(supervised, "one")["failures"] >= 4)
    until(lambda: component(supervised, "one")["state"] == "restarting")
    assert start(supervised, "one", DIE)
    assert component(supervised, "one")["restarts"] == 0


def test_back_off_grows_to_a_limit_and_resets_after_a_stable_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    child = children.Child(Component("one", ()))
    pauses = []
    for lifetime in (0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, children.STABLE + 1, 0.5):
        child.started_at = now - lifetime
        child.ended(1)
        pauses.append(round(child.restart_at - now, 3))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 0.1, 0.2]


def test_a_second_supervisor_exits_at_once(supervised: Layout) -> None:
    start(supervised, "one")
    before = pid(supervised, "one")
    argv = [sys.executable, "-m", "devloop.runtime.supervisor", str(supervised.folder)]
    done = subprocess.run(argv, env=environment_for(supervised, os.environ), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert pid(supervised, "one") == before


def name(process: psutil.Process) -> str:
    """'' for a process that has exited."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def test_sigterm_ends_everything(supervised: Layout) -> None:
    start(supervised, "one")
    # Deaf to SIGTERM, with a child of its own.
    start(supervised, "two", ("sh", "-c", "trap '' TERM; sleep 1000 & wait"))
    start(supervised, "three", DIE)
    supervisor(supervised).terminate()
    until(lambda: not [process for process in marked(supervised) if name(process) not in ("", "sleep")])
    assert not control.runs(supervised)
    control.end(supervised)
    assert marked(supervised) == []


def test_end_leaves_no_descendants(supervised: Layout) -> None:
    start(supervised, "one", ("sh", "-c", "setsid sh -c 'sleep 1000 & sleep 1000' & wait"))
    until(lambda: len(marked(supervised)) >= 5)
    control.end(supervised)
    assert marked(supervised) == []
    control.end(supervised)


def test_end_kills_the_orphans_of_a_killed_supervisor_and_nothing_else(supervised: Layout) -> None:
    start(supervised, "one")
    orphan = pid(supervised, "one")
    environments = ({}, {MARKER: f"{supervised.folder}-other"}, {MARKER: str(supervised.folder.parent)}, {"X": str(supervised.folder)})
    path = {"PATH": os.environ["PATH"]}
    strangers = [subprocess.Popen(SLEEP, env=path | env) for env in environments]
    try:
        supervisor(supervised).kill()
        until(lambda: not control.runs(supervised))
        assert psutil.pid_exists(orphan)
        control.end(supervised)
        assert marked(supervised) == []
        assert [stranger.poll() for stranger in strangers] == [None] * len(strangers)
        launch(supervised)
        assert start(supervised, "one")
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()


def test_it_outlives_its_launcher(layout: Layout) -> None:
    code = f"""
import os, pathlib, threading
from devloop.runtime import control
from devloop.runtime.layout import Layout
with control.launched(Layout(pathlib.Path({str(layout.folder)!r})), threading.Event()):
    pass
os.killpg(0, 9)
"""
    subprocess.run([sys.executable, "-c", code], start_new_session=True, check=False)
    assert start(layout, "one")


def test_a_deep_folder_works(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("a" * 120) / ("b" * 120))
    layout.make()
    try:
        launch(layout)
        assert start(layout, "one")
        assert component(layout, "one")["state"] == "running"
    finally:
        control.end(layout)
    assert marked(layout) == []


def test_everything_is_private(supervised: Layout) -> None:
    start(supervised, "one")
    for path in (supervised.folder, *supervised.folder.rglob("*")):
        assert not path.stat().st_mode & 0o077, path
    assert stat.S_ISSOCK((supervised.sockets / "supervisor.sock").stat().st_mode)


def test_programs_do_not_get_the_users_secrets(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOPS_AGE_KEY", "GITHUB_TOKEN", "KUBECONFIG", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "not for components")
    launch(layout)
    start(layout, "one", SLEEP, OWN="own")
    for process in (supervisor(layout), psutil.Process(pid(layout, "one"))):
        assert "not for components" not in process.environ().values()
    assert psutil.Process(pid(layout, "one")).environ()["OWN"] == "own"


def say(layout: Layout, request: bytes) -> bytes:
    with layout.control_socket() as address, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(address)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return stream.read()


@pytest.mark.parametrize(
    "request_bytes",
    [b"", b"\n", b"nonsense\n", b"[]\n", b"null\n", b"{}\n", b'{"op": "start"}\n', b'{"op": "start", "components": [{}]}\n', b'{"op"'],
)
def test_invalid_requests_are_harmless(supervised: Layout, request_bytes: bytes) -> None:
    start(supervised, "one")
    before = pid(supervised, "one")
    answer = say(supervised, request_bytes)
    assert b"started" not in answer
    assert pid(supervised, "one") == before
    assert marked(supervised)


def test_full_logs_are_rotated_while_written(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devloop.clients.logs.LARGEST", 4096)
    here = children.Children(layout, environment_for(layout, os.environ))
    writer = "import itertools, time\nfor n in itertools.count():\n    print(f'{n:099}', flush=True); time.sleep(0.0002)"
    log = layout.log("one")
    try:
        here.start([Component("one", (sys.executable, "-c", writer))])
        sizes = []
        for _ in range(4):
            until(lambda: log.stat().st_size > 8192)
            here.rotate_logs()
            sizes.append(log.stat().st_size)
        until(lambda: log.stat().st_size > 4096)
    finally:
        here.stop()
    names = sorted(path.name for path in layout.logs.iterdir())
    assert names == ["one.log", "one.log.1", "one.log.2"]
    assert max(sizes) < 8192
    # Appended after the cut, not at the old place with a hole before it.
    assert b"\0" not in log.read_bytes()
    oldest, older, newest = (int(path.read_text().split()[0]) for path in (layout.logs / "one.log.2", layout.logs / "one.log.1", log))
    assert oldest < older < newest
    assert [path.stat().st_mode & 0o777 for path in layout.logs.iterdir()] == [0o600] * 3


def test_a_small_log_is_not_rotated(layout: Layout) -> None:
    here = children.Children(layout, environment_for(layout, os.environ))
    here.start([Component("one", ("echo", "few words"))])
    until(lambda: layout.log("one").read_text())
    here.rotate_logs()
    here.stop()
    assert [path.name for path in layout.logs.iterdir()] == ["one.log"]


def test_an_exited_process_has_no_memory() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert resident_memory(child.pid) == 0
