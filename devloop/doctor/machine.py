"""Checks of the machine and its container engine."""

import time
from collections.abc import Iterator
from pathlib import Path

from devloop.clients import machine as here
from devloop.clients.certificates import date_of, validity
from devloop.clients.xdg import cache_folder, state_folder
from devloop.doctor.context import CHECK_TIMEOUT, DoctorContext
from devloop.doctor.kubeconfig_entries import KubeconfigEntry, kubeconfig_entries
from devloop.hint import DevloopCommand, command, instructions, shell
from devloop.model.doctor.clock import ClockReading, Validity, judge_clock
from devloop.model.doctor.diagnosis import Diagnosis
from devloop.model.doctor.engine import EngineFacts, judge_engine
from devloop.model.doctor.machine import (
    DiskSpace,
    judge_capabilities,
    judge_cgroups,
    judge_disk,
    judge_inotify,
    judge_memory,
    judge_system,
    judge_unneeded,
)
from devloop.model.units import GIBIBYTE, MEBIBYTE
from devloop.provisioners import AUTO, PROVISIONERS, preferred, runs_here

_CACHE, _STATE = shell("export XDG_CACHE_HOME=DIR"), shell("export XDG_STATE_HOME=DIR")
# For Go's caches when it builds every pinned program, and for snapshots when all of them are built.
BUILDING = DiskSpace(6 * GIBIBYTE, 10 * GIBIBYTE, command("go clean -cache -modcache"), _CACHE)
BUILT = DiskSpace(256 * MEBIBYTE, GIBIBYTE, instructions(command("df -h"), ", or ", _CACHE), _CACHE)
STATE = DiskSpace(256 * MEBIBYTE, GIBIBYTE, instructions(command("df -h"), ", or ", _STATE), _STATE)
# A node image and the images that Flux pulls into a node.
IMAGES = DiskSpace(3 * GIBIBYTE, 8 * GIBIBYTE, instructions(command("docker system df"), ", then ", command("docker system prune")))


def system(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_system(here.system(), [name for name in PROVISIONERS if not runs_here(name)])


def engine(context: DoctorContext) -> Iterator[Diagnosis]:
    chosen = None if context.provisioner == AUTO else PROVISIONERS[context.provisioner].needs_engine
    provisioner = preferred(with_engine=False) if chosen is None else context.provisioner
    yield judge_engine(context.engine, provisioner, needed=chosen, linux=here.is_linux())


def capabilities(context: DoctorContext) -> Iterator[Diagnosis]:
    runtime = context.engine.runtime if isinstance(context.engine, EngineFacts) else ""
    yield judge_capabilities(here.capabilities("dockerd", "the Docker engine", runtime), needed=context.needs_engine)


def cgroups(context: DoctorContext) -> Iterator[Diagnosis]:
    rootless = isinstance(context.engine, EngineFacts) and context.engine.rootless
    yield judge_cgroups(here.cgroups(), kubernetes(context), rootless=rootless)


def kubernetes(context: DoctorContext) -> str:
    """The Kubernetes version of the environment: the definition's, or the pinned one."""
    wanted = context.definition.kubernetes_version if context.definition else ""
    return wanted or f"v{context.toolchain.version('kubelet')}"


def inotify(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_inotify(here.inotify())


def memory(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_memory(here.memory(), len(context.definition.nodes) if context.definition else 1)


def disks(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_disk(here.disk("state", state_folder()), STATE)
    yield judge_disk(here.disk("cache", cache_folder()), BUILDING if context.toolchain.missing(context.tools) else BUILT)
    if isinstance(context.engine, EngineFacts) and context.engine.local and Path(context.engine.root).exists():
        yield judge_disk(here.disk("images", Path(context.engine.root), ours=False), IMAGES)


def cache(context: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_unneeded(sum(usage.size for usage in context.toolchain.prunable()))


def clock(context: DoctorContext) -> Iterator[Diagnosis]:
    running = kubeconfig_entries(context.environment.definition.name) if context.definition else ()
    readings = [*_floors(context), *(reading for entry in running if (reading := _date(entry)))]
    yield from judge_clock(time.time(), readings, [found for entry in running for found in _validities(entry, context.name)])


def _floors(context: DoctorContext) -> Iterator[ClockReading]:
    yield ClockReading("the time of devloop's own files", Path(here.__file__).stat().st_mtime, floor=True)
    if isinstance(context.engine, EngineFacts) and context.engine.time:
        yield ClockReading("the container engine", context.engine.time)


def _date(entry: KubeconfigEntry) -> ClockReading | None:
    found = date_of(entry.server, CHECK_TIMEOUT)
    return ClockReading("the API server", found) if found else None


def _validities(entry: KubeconfigEntry, name: str) -> Iterator[Validity]:
    renewal = instructions(DevloopCommand("down", name), ", then ", DevloopCommand("up", name))
    for what, pem in (("its authority", entry.authority), ("your certificate", entry.certificate)):
        if found := validity(pem):
            yield Validity(f"{what} in the context {entry.context}", *found, renewal)
