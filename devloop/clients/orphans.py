"""Processes of ours that we are not the parent of: found by a variable in their environment, never by name."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

KILL_TIMEOUT = 5000  # milliseconds for the kernel to take a killed process apart
EXITING = 0x4  # PF_EXITING among the flags of /proc/PID/stat: proc_pid_stat(5), include/linux/sched.h


def kill_orphans(variable: str, value: str) -> int:
    """Kill every process of this user that carries `variable=value` (but not ourselves) and wait until they have ended; how many."""
    swept = 0
    # Once more after each round: a process that ended last may have started another one meanwhile.
    while handles := _find(variable, value):
        for handle in handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended = [_wait(handle) for handle in handles]
        swept += len(handles)
        if not all(ended):
            break
    _await_leaving()
    return swept


def _find(variable: str, value: str) -> list[int]:
    """Handles: who is looked at through one cannot be replaced by another process of the same number."""
    import psutil

    found = []
    for pid in psutil.pids():
        if _carries(pid, variable, value):
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                if _carries(pid, variable, value):
                    found.append(handle)
                else:
                    os.close(handle)
    return found


def _carries(pid: int, variable: str, value: str) -> bool:
    import psutil

    try:
        item = psutil.Process(pid)
        return pid != os.getpid() and item.uids().real == os.getuid() and item.environ().get(variable) == value
    except (psutil.Error, OSError):
        return False


def _await_leaving() -> None:
    """Wait for every process of this user that the kernel takes apart: its environment is gone already, its ports are not."""
    import psutil

    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if psutil.Process(pid).uids().real == os.getuid() and _is_leaving(pid):
                _wait(os.pidfd_open(pid))


def _is_leaving(pid: int) -> bool:
    # The name of the program stands in brackets and may hold anything; the flags are the seventh field after it.
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return bool(int(fields[6]) & EXITING)


def _wait(handle: int) -> bool:
    """Whether the process has ended; closes the handle. Not until its parent has noticed: that may take its time."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    try:
        return bool(poll.poll(KILL_TIMEOUT))
    finally:
        os.close(handle)


def resident_memory(pid: int) -> int:
    """Bytes, 0 for a process that is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
