"""The worker's end: with whoever started it, at once when the user wants the run to end, and before it takes all memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from devloop.clients.worker import Worker

PATIENCE = 20  # seconds


def test_a_worker_whose_parent_is_gone_ends_although_its_input_stays_open(worker_program: Path) -> None:
    script = f"{worker_program} <&0 >/dev/null 2>&1 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        worker.wait(PATIENCE)


def test_a_worker_has_a_limit_of_memory(worker_program: Path, tmp_path: Path) -> None:
    with Worker(worker_program, tmp_path) as worker:
        assert worker.check_files([]) == []
        [process] = [child for child in psutil.Process().children() if is_worker(child)]
        assert process.rlimit(psutil.RLIMIT_DATA) == (4 << 30, 4 << 30)


@pytest.mark.parametrize("command", [("validate",), ("render", "local"), ("render", "local", "--diff", "HEAD")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_run_whose_worker_does_not_answer(
    worker_program: Path, tmp_path: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    repository = sample(tmp_path)
    argv = [sys.executable, "-m", "devloop", "-C", str(repository), *command]
    with started(argv, tmp_path) as run, frozen_workers(psutil.Process(run.pid), 2 if "--diff" in command else 1):
        run.send_signal(number)
        out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130, (out, err)
    assert b"Traceback" not in err


@contextmanager
def started(argv: list[str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that is killed at the end, if it has not ended by then."""
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(home))
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


@contextmanager
def frozen_workers(run: psutil.Process, count: int) -> Iterator[None]:
    """Stops the workers of the run as soon as they are there: what they build takes for ever. They do not outlive the test."""
    while len(found := [child for child in run.children() if is_worker(child)]) < count:
        assert run.status() != psutil.STATUS_ZOMBIE
    try:
        for worker in found:
            worker.suspend()
            while worker.status() != psutil.STATUS_STOPPED:
                """The kernel takes a moment."""
        yield
    finally:
        for worker in found:
            with suppress(psutil.NoSuchProcess):
                worker.kill()


def is_worker(process: psutil.Process) -> bool:
    try:
        return process.name() == "worker"
    except psutil.NoSuchProcess:
        return False


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}


def sample(home: Path) -> Path:
    argv = [sys.executable, "-m", "devloop", "init", "demo"]
    subprocess.run(argv, cwd=home, env=environment(home), check=True, capture_output=True)
    return home / "demo"
