"""Installs tools into the cache one after the other, each from the first channel that has it."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from devloop.clients.go.caches import build_caches
from devloop.clients.lock import in_turn
from devloop.errors import DevloopError
from devloop.model.report import Emit, Notice, Progress
from devloop.toolchain.cache import read_installed
from devloop.toolchain.channels import CHANNELS, Job
from devloop.toolchain.data import add_data
from devloop.toolchain.lock import Tool
from devloop.toolchain.packaged import is_offered
from devloop.toolchain.staging import publish, staging, storage_errors

_TITLE = "toolchain"


def install(tools: Sequence[Tool], root: Path, emit: Emit, stop: threading.Event) -> bool:
    """Install one at a time, since a Go build uses all cores; False if another run installed all of them meanwhile."""
    emit(Notice(f"installing {', '.join(tool.name for tool in tools)}{_estimate(tools)}"))
    with storage_errors(root), build_caches():
        unreachable: set[str] = set()
        installed = [tool.name for tool in tools if _install(tool, root, emit, stop, unreachable)]
    return bool(installed)


def _estimate(tools: Sequence[Tool]) -> str:
    """How long the builds take, of the tools that nobody offers ready to run."""
    built = [tool for tool in tools if not is_offered(tool)]
    minutes = round(sum(tool.build_seconds for tool in built) / 60)
    return f": about {max(1, minutes)} min to build {', '.join(tool.name for tool in built)} from source" if built else ""


def _install(tool: Tool, root: Path, emit: Emit, stop: threading.Event, unreachable: set[str]) -> bool:
    """False if another run has installed the tool meanwhile."""
    waiting = f"waiting for another run that is installing {tool.name}"
    with in_turn(root / tool.name / ".lock", lambda holder: emit(Notice(f"{waiting} (process {holder})")), stop):
        if read_installed(root, tool):
            return False
        with staging(root, tool) as staged:
            job = Job(tool, staged, root / tool.name, root.parent / "go", _Countdown(tool.name, emit), emit, stop, unreachable)
            channel, origin = _fill(job)
            add_data(job)
            publish(root, tool, staged, channel=channel, origin=origin)
    emit(Progress(_TITLE, tool.name, 1.0, 0.0, done=True))
    return True


def _fill(job: Job) -> tuple[str, str]:
    for name, channel in CHANNELS.items():
        origin = channel(job)
        if origin:
            return name, origin
    raise DevloopError(f"{job.tool.name} cannot be installed")  # not reached: a build from source succeeds or raises


class _Countdown:
    """Turns fractions of work into Progress events, at most one per percent."""

    def __init__(self, name: str, emit: Emit) -> None:
        self._name = name
        self._emit = emit
        self._start: float | None = None
        self._shown: float | None = -1.0

    def __call__(self, fraction: float | None, seconds: float | None) -> None:
        if self._start is None and fraction is not None:
            self._start = time.monotonic()
        percent = None if fraction is None else int(fraction * 100)
        if percent != self._shown:
            self._shown = percent
            elapsed = time.monotonic() - self._start if self._start else 0.0
            self._emit(Progress(_TITLE, self._name, fraction, remaining(fraction or 0.0, seconds, elapsed)))


def remaining(fraction: float, seconds: float | None, elapsed: float) -> float | None:
    """Seconds left: at first from the expected total, `seconds`, then more and more from the time elapsed."""
    if not fraction:
        return seconds
    measured = elapsed / fraction
    expected = measured if seconds is None else (1 - fraction) * seconds + fraction * measured
    return (1 - fraction) * expected
