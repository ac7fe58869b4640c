"""Checks the machine's system, memory, disks, inotify limits, cgroups and capabilities."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from devloop.hint import DevloopCommand, Hint, command, shell
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words
from devloop.model.units import GIBIBYTE, MEBIBYTE

# `devloop status` of the sample reports 0.9 to 1.2 GiB embedded, 1.3 GiB on Kind; each further node gets half a GiB.
NEEDED_MEMORY = 1.25 * GIBIBYTE
RECOMMENDED_MEMORY = 2.0 * GIBIBYTE
MEMORY_OF_A_NODE = 0.5 * GIBIBYTE

# Recommended by Kind, https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files.
WATCHES = 524288
INSTANCES = 512

# From this version on, the kubelet exits on cgroups v1 unless its failCgroupV1 is false (KEP-5573).
WITHOUT_CGROUP_1 = (1, 35)

# Privileged containers need the first, the network of nodes the second; capabilities(7).
SYS_RESOURCE = 24
NET_ADMIN = 12


def judge_system(name: str, impossible: Sequence[str]) -> Diagnosis:
    """`impossible` are the provisioners that only another system can run."""
    return ok("system", name + (f"; cannot run the provisioner {join_words(impossible)}, which requires Linux" if impossible else ""))


@dataclass(frozen=True)
class Memory:
    """In bytes; `limit` is that of this process's cgroup, 0 for none."""

    total: int
    available: int
    limit: int = 0


def judge_memory(memory: Memory, nodes: int = 1) -> Diagnosis:
    """`nodes` is their number in the definition."""
    more = (nodes - 1) * MEMORY_OF_A_NODE
    room = min(memory.available, memory.limit) if memory.limit else memory.available
    cluster = "a cluster" if nodes == 1 else f"a cluster of {nodes} nodes"
    message = f"{gibibytes(room)} of {gibibytes(min(memory.total, memory.limit or memory.total))} available"
    hint = shell("ps -eo rss,pid,comm | sort -rn | head")
    if room < NEEDED_MEMORY + more:
        return failed("memory", f"{message}, {cluster} needs {gibibytes(NEEDED_MEMORY + more)}", hint)
    if room < RECOMMENDED_MEMORY + more:
        return warning("memory", f"{message}, {gibibytes(RECOMMENDED_MEMORY + more)} recommended for {cluster}", hint)
    return ok("memory", message)


@dataclass(frozen=True)
class Disk:
    """The disk of `what`: free bytes, free inodes (-1 if not limited), and whether this user can write to it."""

    what: str
    path: str
    free: int
    inodes: int
    writable: bool


@dataclass(frozen=True)
class DiskSpace:
    """Bytes that must and should be free, how to free some, and how to use another disk."""

    needed: int
    recommended: int
    hint: Hint
    elsewhere: Hint = ""


INODES = 10_000


def judge_disk(disk: Disk, room: DiskSpace) -> Diagnosis:
    check = f"disk ({disk.what})"
    free = f"{gibibytes(disk.free)} free at {disk.path}"
    if not disk.writable:
        return failed(check, f"{disk.path} is not writable", room.elsewhere or command("ls -ld", disk.path))
    if 0 <= disk.inodes < INODES:
        return failed(check, f"only {disk.inodes} free inodes at {disk.path}", command("df -i", disk.path))
    if disk.free < room.needed:
        return failed(check, f"{free}, at least {gibibytes(room.needed)} required", room.hint)
    if disk.free < room.recommended:
        return warning(check, f"{free}, {gibibytes(room.recommended)} recommended", room.hint)
    return ok(check, free)


LARGE = 2 * GIBIBYTE


def judge_unneeded(size: int) -> Diagnosis:
    """`size` in bytes of what devloop's cache holds and does not need."""
    if size < LARGE:
        return ok("cache", f"{gibibytes(size)} could be removed" if size else "nothing to remove")
    return warning("cache", f"{gibibytes(size)} of devloop's cache are not needed", command("devloop toolchain prune"))


@dataclass(frozen=True)
class Inotify:
    """fs.inotify.max_user_watches and max_user_instances."""

    watches: int
    instances: int


def judge_inotify(limits: Inotify) -> Diagnosis:
    wanted = {"max_user_watches": (limits.watches, WATCHES), "max_user_instances": (limits.instances, INSTANCES)}
    low = {name: pair for name, pair in wanted.items() if pair[0] < pair[1]}
    if not low:
        return ok("inotify", f"{limits.watches} watches, {limits.instances} instances")
    reasons = join_words([f"{name} is {actual} (Kind needs {needed})" for name, (actual, needed) in low.items()])
    hint = command("sudo sysctl", *(f"fs.inotify.{name}={needed}" for name, (_, needed) in low.items()))
    return warning("inotify", f"{reasons}: pods may fail with too many open files", hint)


@dataclass(frozen=True)
class Cgroups:
    """`version` 1 or 2, 0 if not mounted; `hybrid`: version 2 is mounted too, without controllers."""

    version: int
    hybrid: bool = False


def judge_cgroups(cgroups: Cgroups, kubernetes: str, *, rootless: bool = False) -> Diagnosis:
    """`kubernetes` is the nodes' version; `rootless` is the engine's mode."""
    if cgroups.version == 2:
        return ok("cgroups", "version 2")
    if cgroups.version == 0:
        return failed("cgroups", "cgroups are not mounted", command("sudo mount -t cgroup2 none /sys/fs/cgroup"))
    mode = "version 1" + (" (hybrid)" if cgroups.hybrid else "")
    boot = "boot the kernel with systemd.unified_cgroup_hierarchy=1"
    if rootless:
        return failed("cgroups", f"{mode}; a rootless engine needs version 2 for Kind", boot)
    if version(kubernetes) < WITHOUT_CGROUP_1:
        return ok("cgroups", f"{mode}, still supported by Kubernetes {kubernetes}")
    message = f"{mode}; Kubernetes {kubernetes} supports it only with failCgroupV1: false, which devloop sets on Kind's nodes"
    return warning("cgroups", message, boot)


def version(text: str) -> tuple[int, int]:
    """(1, 36) of v1.36.4; (0, 0) if it is not a version."""
    match = re.match(r"v?(\d+)\.(\d+)(\.|$)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


@dataclass(frozen=True)
class Capabilities:
    """What the bounding set of `holder` (the engine, or this process without a local engine) lacks."""

    holder: str
    missing: frozenset[int]
    runtime: str = ""


def judge_capabilities(capabilities: Capabilities, *, needed: bool) -> Diagnosis:
    """A runtime other than runc may not need CAP_SYS_RESOURCE; all need CAP_NET_ADMIN. `needed`: Kind would run."""
    diagnose = failed if needed else warning
    denied = "this machine denies {} to " + capabilities.holder
    if NET_ADMIN in capabilities.missing:
        message = denied.format("CAP_NET_ADMIN") + ": Kind's nodes get no network"
        return diagnose("capabilities", message, DevloopCommand("up", "ENV", ("--provisioner", "embedded")))
    if SYS_RESOURCE not in capabilities.missing:
        return ok("capabilities", f"{capabilities.holder} has CAP_SYS_RESOURCE and CAP_NET_ADMIN")
    if capabilities.runtime not in ("", "runc", "io.containerd.runc.v2"):
        return ok("capabilities", denied.format("CAP_SYS_RESOURCE") + f", but its runtime {capabilities.runtime} does not need it")
    message = denied.format("CAP_SYS_RESOURCE") + ": privileged containers, and so Kind's nodes, cannot start"
    unless = "" if capabilities.runtime else ", unless its runtime does not need it"
    return diagnose("capabilities", message + unless, command("sudo scripts/prepare_test_host.sh"))


def missing_of(mask: int) -> frozenset[int]:
    """The required capabilities that a capability set of /proc/PID/status lacks."""
    return frozenset(bit for bit in (SYS_RESOURCE, NET_ADMIN) if not mask >> bit & 1)


def gibibytes(size: float) -> str:
    return f"{size / GIBIBYTE:.1f} GiB" if size >= GIBIBYTE / 10 else f"{size / MEBIBYTE:.0f} MiB"
