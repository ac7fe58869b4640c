"""Programs under a real supervisor: readiness, ports, crashes, interruptions."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.errors import DevloopError, Interrupted
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.report import Emit
from devloop.runtime import control
from devloop.runtime.components import Component, ComponentContext, Program
from devloop.runtime.layout import Layout
from devloop.runtime.processes import ProcessRuntime
from devloop.toolchain import Toolchain

NAME = "git-server"
HANG = "import socket, sys, time; held = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(1000)"


def quiet(_: object) -> None:
    """Ignore notices."""


def serve(context: ComponentContext) -> Component:
    argv = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(context.layout.logs), str(context.ports[NAME]))
    return Component(NAME, argv)


def hang(context: ComponentContext) -> Component:
    return Component(NAME, (sys.executable, "-c", HANG, str(context.ports[NAME])))


@pytest.fixture
def configured() -> list[int]:
    """The port in each call of `configure`."""
    return []


@pytest.fixture
def runtime(tmp_path: Path, configured: list[int]) -> Iterator[ProcessRuntime]:
    def configure(context: ComponentContext) -> None:
        configured.append(context.ports[NAME])

    layout = Layout(tmp_path / "demo")
    yield ProcessRuntime(layout, ClusterDefinition("demo", "G3", ""), Toolchain(), threading.Event(), quiet, configure)
    control.end(layout)


def test_a_ready_program_is_started_once(runtime: ProcessRuntime, configured: list[int]) -> None:
    for changed in (True, False):
        runtime.ensure_supervisor(quiet)
        assert runtime.run({NAME: Program(serve, probe="/")}) == changed
    assert configured == [runtime.context.ports[NAME]]


def test_a_program_that_stopped_responding_is_started_again(runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.ensure_supervisor(quiet)
    runtime.run({NAME: Program(serve, probe="/")})
    [before] = [each["pid"] for each in control.ask(runtime.layout, {"op": "status"})["components"]]
    os.kill(before, signal.SIGSTOP)
    monkeypatch.setattr("devloop.runtime.processes.RUNNING_PATIENCE", 0.2)
    monkeypatch.setattr("devloop.runtime.readiness.TIMEOUT", 0.1)
    assert runtime.run({NAME: Program(serve, probe="/")})
    [after] = [each["pid"] for each in control.ask(runtime.layout, {"op": "status"})["components"]]
    assert after != before


def test_a_port_in_use_is_replaced(runtime: ProcessRuntime, configured: list[int]) -> None:
    runtime.ensure_supervisor(quiet)
    with socket.create_server(("127.0.0.1", configured[0])):
        assert runtime.run({NAME: Program(serve, probe="/")})
    assert len(configured) == 2
    assert configured[1] == runtime.context.ports[NAME] != configured[0]


def test_a_crashing_program_fails_early(runtime: ProcessRuntime) -> None:
    runtime.ensure_supervisor(quiet)
    ends = Program(lambda _: Component(NAME, ("sh", "-c", "echo last words; exit 3")), probe="/")
    with pytest.raises(DevloopError, match="git-server keeps crashing with status 3: last words"):
        runtime.run({NAME: ends})


def test_an_interruption_ends_the_wait_for_a_hanging_program(runtime: ProcessRuntime) -> None:
    runtime.ensure_supervisor(quiet)
    threading.Timer(1.0, runtime.stop.set).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        runtime.run({NAME: Program(hang, probe="/")})
    assert 1.0 <= time.monotonic() - start < 2.0


def test_nothing_is_created_for_a_foreign_environment(runtime: ProcessRuntime) -> None:
    def refuse(_: Emit) -> None:
        raise DevloopError("the name demo is taken")

    foreign = ProcessRuntime(runtime.layout, runtime.definition, runtime.tools, runtime.stop, refuse, quiet)
    with pytest.raises(DevloopError, match="taken"):
        foreign.ensure_supervisor(quiet)
    assert not runtime.layout.folder.exists()
