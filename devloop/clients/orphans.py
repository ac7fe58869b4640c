"""devloop's processes without their parent, found by a variable in their environment, never by name."""

import contextlib
import os
import select
import signal
from pathlib import Path

from devloop.errors import DevloopError

ROUNDS = 20
KILL_TIMEOUT = 5000  # milliseconds for the kernel to end a killed process
EXITING = 0x4  # PF_EXITING among the flags of /proc/PID/stat: proc_pid_stat(5), include/linux/sched.h


def kill_orphans(variable: str, value: str) -> int:
    """Kill all other processes of this user with `variable=value` and wait until they have ended; returns their number."""
    killed = 0
    # Repeat: a process may have started another one meanwhile.
    for _ in range(ROUNDS):
        if not (handles := _find(variable, value)):
            break
        for handle in handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended = [_wait(handle) for handle in handles]
        killed += len(handles)
        if not all(ended):
            left = len(ended) - sum(ended)
            message = f"{left} process{'' if left == 1 else 'es'} with {variable}={value} did not end after SIGKILL"
            raise DevloopError(message, hint="they wait for a device; run the command again, or restart the machine")
    _await_leaving()
    return killed


def marked(variable: str) -> frozenset[str]:
    """The values of `variable` in all processes of this user."""
    import psutil

    values = set()
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            item = psutil.Process(pid)
            if item.uids().real == os.getuid() and item.status() != psutil.STATUS_ZOMBIE:
                values.add(item.environ().get(variable, ""))
    return frozenset(values - {""})


def _find(variable: str, value: str) -> list[int]:
    """Handles of the processes: unlike a process id, the kernel cannot reuse a handle."""
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
    """Wait for exiting processes of this user: they may still hold ports, but have no environment anymore."""
    import psutil

    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if psutil.Process(pid).uids().real == os.getuid() and _is_leaving(pid):
                _wait(os.pidfd_open(pid))


def _is_leaving(pid: int) -> bool:
    # The program's name is in parentheses and may contain anything; the flags are the seventh field after it.
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return bool(int(fields[6]) & EXITING)


def _wait(handle: int) -> bool:
    """Wait until the process has ended, without waiting for its parent to reap it; closes the handle. False after KILL_TIMEOUT."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    try:
        return bool(poll.poll(KILL_TIMEOUT))
    finally:
        os.close(handle)


def resident_memory(pid: int) -> int:
    """Bytes, 0 if the process has ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
