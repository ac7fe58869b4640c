"""Builds that are interrupted or killed, and two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.clients.wait import until
from devloop.errors import Interrupted
from devloop.model.report import Event, Notice
from devloop.toolchain import Toolchain

from .hello import VERSION, ignore, leftovers, version_of


class Gate:
    """A Go whose compilers wait at a gate (GOFLAGS=-toolexec): what happens in the midst of a build can be tested without a clock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        for name in ("arrived", "opened"):
            os.mkfifo(folder / name)
        # Read and write, so that opening and writing never block.
        self._arrived = os.open(folder / "arrived", os.O_RDWR)
        self._opened = os.open(folder / "opened", os.O_RDWR)
        script = folder / "wait"
        script.write_text(
            "#!/bin/sh\n"
            'case "$*" in *-V=full*) exec "$@" ;; esac\n'
            f"[ -e {folder}/open ] || {{ echo $PPID > {folder}/arrived; read line < {folder}/opened; }}\n"
            'exec "$@"\n'
        )
        script.chmod(0o755)
        self.environment = {"GOFLAGS": f"-toolexec={script}"}

    def wait_for_compiler(self) -> int:
        """The process id (and group) of the Go that now waits."""
        return int(os.read(self._arrived, 4096).split()[0])

    def open(self) -> None:
        (self._folder / "open").touch()
        os.write(self._opened, b"\n" * 64)

    def close(self) -> None:
        os.close(self._arrived)
        os.close(self._opened)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.close()


RUN = textwrap.dedent(
    """
    import pathlib, sys
    from devloop.model.report import Notice
    from devloop.toolchain import Toolchain

    def emit(event):
        if isinstance(event, Notice):
            print(event.message, flush=True)

    toolchain = Toolchain(lock=pathlib.Path(sys.argv[1]), folder=pathlib.Path(sys.argv[2]))
    print("installed" if toolchain.ensure(["hello"], emit) else "unchanged", flush=True)
    """
)


def start(lock: Path, folder: Path, gate: Gate) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(lock), str(folder)]
    return subprocess.Popen(command, env=os.environ | gate.environment, stdout=subprocess.PIPE, text=True)


def group_is_alive(group: int) -> bool:
    """Whether some process of the group still runs; the dead that nobody has waited for do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def test_two_runs_at_once_build_once(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    gate.wait_for_compiler()
    second = start(lock, tmp_path / "cache", gate)
    assert second.stdout is not None
    said = [second.stdout.readline() for _ in range(2)]
    assert said[-1] == f"waiting for another run that is installing hello (process {first.pid})\n"
    gate.open()
    assert first.communicate()[0].endswith("installed\n")
    assert second.communicate()[0] == "unchanged\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_killed_in_the_midst_of_a_build(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    group = gate.wait_for_compiler()
    first.kill()
    first.communicate()
    assert len(leftovers(tmp_path / "cache")) == 1
    toolchain = Toolchain(lock=lock, folder=tmp_path / "cache")
    assert toolchain.missing(["hello"]) == ("hello",)
    try:
        assert toolchain.ensure(["hello"], ignore), "the lock died with its holder"
    finally:
        os.killpg(group, signal.SIGKILL)
    assert version_of(toolchain.path("hello")) == f"hello v{VERSION}"
    assert leftovers(tmp_path / "cache") == []


def test_an_orphaned_go_ends_by_itself(lock: Path, tmp_path: Path, gate: Gate) -> None:
    gate.environment["GOCACHE"] = str(tmp_path / "go-cache")
    first = start(lock, tmp_path / "cache", gate)
    group = gate.wait_for_compiler()
    first.kill()
    first.communicate()
    gate.open()
    until(lambda: not group_is_alive(group), "the end of a build for nobody", patience=60, stop=threading.Event(), hint="")


@pytest.mark.parametrize("by", ["stop", "signal"])
def test_interrupted_in_the_midst_of_a_build(lock: Path, tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    for name, value in gate.environment.items():
        monkeypatch.setenv(name, value)
    stop, groups = threading.Event(), []

    def interrupt() -> None:
        groups.append(gate.wait_for_compiler())
        if by == "stop":
            stop.set()
        else:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises((Interrupted, KeyboardInterrupt)):
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], ignore, stop)
    thread.join()
    assert not group_is_alive(groups[0])
    assert leftovers(tmp_path / "cache") == []


def test_interrupted_while_waiting_for_another_run(lock: Path, tmp_path: Path, gate: Gate) -> None:
    first = start(lock, tmp_path / "cache", gate)
    gate.wait_for_compiler()
    stop = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, Notice) and "another run" in event.message:
            stop.set()

    with pytest.raises(Interrupted):
        Toolchain(lock=lock, folder=tmp_path / "cache").ensure(["hello"], emit, stop)
    gate.open()
    assert first.communicate()[0].endswith("installed\n")
