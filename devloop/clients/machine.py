"""Facts about this machine. Only Linux has /proc and /sys, and with them cgroups, inotify limits and capabilities."""

import contextlib
import os
import platform
import re
import sys
from pathlib import Path

from devloop.model.doctor.machine import Capabilities, Cgroups, Disk, Inotify, Memory, missing_of

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


def is_linux() -> bool:
    return sys.platform == "linux"


def system() -> str:
    """Name, release and architecture: 'Linux 6.1.0, x86_64'."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def memory() -> Memory:
    """The machine's memory, and the limit of the cgroup of this process."""
    import psutil

    found = psutil.virtual_memory()
    return Memory(found.total, found.available, _limit(found.total) if is_linux() else 0)


def _limit(total: int) -> int:
    """The smallest cgroup limit below `total`, 0 for none; cgroup v1 uses a huge number for "no limit"."""
    limits = []
    for line in _text(PROC / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        base, name = (CGROUPS, "memory.max") if not controllers else (CGROUPS / "memory", "memory.limit_in_bytes")
        if controllers in ("", "memory"):
            group = base / path.lstrip("/")
            folders = [group, *(parent for parent in group.parents if parent.is_relative_to(base))]
            limits += [int(text) for folder in folders if (text := _text(folder / name).strip()).isdigit()]
    return min((limit for limit in limits if limit < total), default=0)


def disk(what: str, path: Path, *, ours: bool = True) -> Disk:
    """The file system where `path` is or would be; unless it is `ours`, write access does not matter."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    found = os.statvfs(there)
    inodes = found.f_favail if found.f_files else -1
    return Disk(what, str(path), found.f_bavail * found.f_frsize, inodes, not ours or os.access(there, os.W_OK | os.X_OK))


def inotify() -> Inotify:
    folder = PROC / "sys" / "fs" / "inotify"
    return Inotify(int((folder / "max_user_watches").read_text()), int((folder / "max_user_instances").read_text()))


def cgroups() -> Cgroups:
    """See https://kubernetes.io/docs/concepts/architecture/cgroups/; only version 2 has cgroup.controllers in its root."""
    if (CGROUPS / "cgroup.controllers").exists():
        return Cgroups(2)
    if (CGROUPS / "memory").exists() or (CGROUPS / "cpu").exists():
        return Cgroups(1, hybrid=(CGROUPS / "unified" / "cgroup.procs").exists())
    return Cgroups(0)


def capabilities(program: str, holder: str, runtime: str) -> Capabilities:
    """The capabilities of the running `program`, shown as `holder`, else those of this process."""
    import psutil

    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(ValueError):
            if process.info["name"] == program:
                return Capabilities(holder, missing_of(_bounding_set(PROC / str(process.pid))), runtime)
    return Capabilities("this process", missing_of(_bounding_set(PROC / "self")), runtime)


def _bounding_set(process: Path) -> int:
    """See proc_pid_status(5); raises ValueError for a process that has ended."""
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)", _text(process / "status"), re.MULTILINE)
    if not found:
        raise ValueError(f"{process} has no capabilities")
    return int(found[1], 16)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
