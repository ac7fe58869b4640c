"""Processes of ours that we are not the parent of: found by a variable in their environment, never by name."""

from __future__ import annotations

import contextlib
import os


def sweep(variable: str, value: str) -> int:
    """Kill every process of this user that carries `variable=value` (but not ourselves) and wait until they are gone; how many."""
    import psutil

    found = [p for p in psutil.process_iter(["pid"]) if p.pid != os.getpid() and _carries(p, variable, value)]
    for item in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            item.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _carries(item: object, variable: str, value: str) -> bool:
    import psutil

    assert isinstance(item, psutil.Process)
    try:
        return item.uids().real == os.getuid() and item.environ().get(variable) == value
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
        return False


def resident_memory(pid: int) -> int:
    """Bytes, 0 for a process that is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
