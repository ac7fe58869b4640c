"""Memory, disks, inotify, control groups and capabilities: facts of this machine, and whether they do."""

from collections.abc import Collection
from dataclasses import dataclass

from devloop.hint import DevloopCommand, Hint, command, shell
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.messages import join_words
from devloop.model.units import GIBIBYTE, MEBIBYTE

# Resident, as `devloop status` tells it of the sample: 0.9 to 1.2 GiB embedded, 1.3 GiB on Kind; a further node is allowed half a GiB.
NEEDED_MEMORY = 1.25 * GIBIBYTE
COMFORTABLE_MEMORY = 2.0 * GIBIBYTE
MEMORY_OF_A_NODE = 0.5 * GIBIBYTE

# What Kind asks for, https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files.
WATCHES = 524288
INSTANCES = 512

# The kubelet ends at once on control groups of version 1 from here on, unless its failCgroupV1 is false (KEP-5573).
WITHOUT_CGROUP_1 = (1, 35)

# What a container with --privileged is given, and what the network of nodes is made with; capabilities(7).
SYS_RESOURCE = 24
NET_ADMIN = 12


@dataclass(frozen=True)
class Memory:
    """In bytes; `limit` is what the control group of this process may use, 0 for no limit."""

    total: int
    available: int
    limit: int = 0


def judge_memory(memory: Memory, nodes: int = 1) -> Diagnosis:
    """`nodes` is how many the definition asks for."""
    more = (nodes - 1) * MEMORY_OF_A_NODE
    room = min(memory.available, memory.limit) if memory.limit else memory.available
    of = f"{gibibytes(room)} of {gibibytes(min(memory.total, memory.limit or memory.total))} available"
    hint = shell("ps -eo rss,pid,comm --sort -rss | head")
    if room < NEEDED_MEMORY + more:
        return failed("memory", f"{of}, {_nodes(nodes)} needs {gibibytes(NEEDED_MEMORY + more)}", hint)
    if room < COMFORTABLE_MEMORY + more:
        return warning("memory", f"{of}, {_nodes(nodes)} is at ease with {gibibytes(COMFORTABLE_MEMORY + more)}", hint)
    return ok("memory", of)


def _nodes(count: int) -> str:
    return "a cluster" if count == 1 else f"a cluster of {count} nodes"


@dataclass(frozen=True)
class Disk:
    """The place of `what`: bytes and inodes that are free there, and whether this user may write; `inodes` is -1 where nobody counts."""

    what: str
    path: str
    free: int
    inodes: int
    writable: bool


@dataclass(frozen=True)
class DiskSpace:
    """How many bytes must be free, how many should, what makes some, and what puts it elsewhere."""

    needed: int
    comfortable: int
    hint: Hint
    elsewhere: Hint = ""


INODES = 10_000


def judge_disk(disk: Disk, room: DiskSpace) -> Diagnosis:
    check = f"disk ({disk.what})"
    said = f"{gibibytes(disk.free)} free at {disk.path}"
    if not disk.writable:
        return failed(check, f"{disk.path} may not be written", room.elsewhere or command("ls -ld", disk.path))
    if 0 <= disk.inodes < INODES:
        return failed(check, f"only {disk.inodes} files may still be made at {disk.path}", command("df -i", disk.path))
    if disk.free < room.needed:
        return failed(check, f"{said}, {gibibytes(room.needed)} are needed", room.hint)
    if disk.free < room.comfortable:
        return warning(check, f"{said}, {gibibytes(room.comfortable)} would be at ease", room.hint)
    return ok(check, said)


@dataclass(frozen=True)
class Inotify:
    """The limits for each user, fs.inotify.max_user_watches and max_user_instances."""

    watches: int
    instances: int


def judge_inotify(limits: Inotify) -> Diagnosis:
    wanted = {"max_user_watches": (limits.watches, WATCHES), "max_user_instances": (limits.instances, INSTANCES)}
    low = {name: pair for name, pair in wanted.items() if pair[0] < pair[1]}
    if not low:
        return ok("inotify", f"{limits.watches} watches, {limits.instances} instances")
    said = join_words([f"{name} is {has} of {wants}" for name, (has, wants) in low.items()])
    return warning(
        "inotify",
        f"{said} that Kind asks for: pods may fail with too many open files",
        command("sudo sysctl", *(f"fs.inotify.{name}={wants}" for name, (_, wants) in low.items())),
    )


@dataclass(frozen=True)
class Cgroups:
    """`version` 1 or 2, 0 where none is mounted; `hybrid`: version 2 is there beside version 1, without controllers."""

    version: int
    hybrid: bool = False


def judge_cgroups(cgroups: Cgroups, kubernetes: str, *, rootless: bool = False) -> Diagnosis:
    """`kubernetes` is the version that the nodes run; `rootless` is the engine's mode."""
    if cgroups.version == 2:
        return ok("cgroups", "version 2")
    if cgroups.version == 0:
        return failed("cgroups", "no control groups are mounted", command("sudo mount -t cgroup2 none /sys/fs/cgroup"))
    said = "version 1" + (" (hybrid)" if cgroups.hybrid else "")
    boot = "boot the kernel with systemd.unified_cgroup_hierarchy=1"
    if rootless:
        return failed("cgroups", f"{said}; a rootless engine needs version 2 for Kind", boot)
    if version(kubernetes) < WITHOUT_CGROUP_1:
        return ok("cgroups", f"{said}, which Kubernetes {kubernetes} still takes")
    return warning(
        "cgroups", f"{said}; Kubernetes {kubernetes} takes it only with failCgroupV1 off, which devloop sets on Kind's nodes", boot
    )


def version(text: str) -> tuple[int, int]:
    """(1, 36) of v1.36.3; (0, 0) where it is none."""
    parts = text.removeprefix("v").split(".")
    major, minor = (parts[0], parts[1]) if len(parts) > 1 else ("", "")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


@dataclass(frozen=True)
class Capabilities:
    """What the bounding set of `holder` (the engine, or this process where there is no local engine) withholds."""

    holder: str
    missing: frozenset[int]
    runtime: str = ""


def judge_capabilities(capabilities: Capabilities, *, needed: bool) -> Diagnosis:
    """A runtime other than runc may do without CAP_SYS_RESOURCE; nothing does without CAP_NET_ADMIN. `needed`: Kind would run."""
    complain = failed if needed else warning
    lacks = "this machine withholds {} from " + capabilities.holder
    if NET_ADMIN in capabilities.missing:
        message = lacks.format("CAP_NET_ADMIN") + ": Kind's nodes get no network"
        return complain("capabilities", message, DevloopCommand("up", "ENV", ("--provisioner", "embedded")))
    if SYS_RESOURCE not in capabilities.missing:
        return ok("capabilities", f"{capabilities.holder} has CAP_SYS_RESOURCE and CAP_NET_ADMIN")
    if capabilities.runtime not in ("", "runc", "io.containerd.runc.v2"):
        return ok("capabilities", lacks.format("CAP_SYS_RESOURCE") + f", its runtime {capabilities.runtime} does without")
    message = lacks.format("CAP_SYS_RESOURCE") + ": no privileged container starts, so no node of Kind's"
    return complain(
        "capabilities",
        message + ("" if capabilities.runtime else ", unless its runtime does without"),
        command("sudo scripts/prepare_test_host.sh"),
    )


def missing_of(mask: int, wanted: Collection[int] = (SYS_RESOURCE, NET_ADMIN)) -> frozenset[int]:
    """Which of the wanted capabilities a set of /proc/PID/status lacks."""
    return frozenset(bit for bit in wanted if not mask >> bit & 1)


def gibibytes(size: float) -> str:
    return f"{size / GIBIBYTE:.1f} GiB" if size >= GIBIBYTE / 10 else f"{size / MEBIBYTE:.0f} MiB"
