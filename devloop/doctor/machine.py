"""Looks at the machine and its container engine."""

from __future__ import annotations

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
from devloop.model.doctor.machine import DiskSpace, judge_capabilities, judge_cgroups, judge_disk, judge_inotify, judge_memory
from devloop.model.units import GIBIBYTE, MEBIBYTE
from devloop.provisioners import AUTO, PROVISIONERS, preferred

# What Go leaves when it builds every pinned program, and what a cache with all of them still needs for snapshots.
BUILDING = DiskSpace(6 * GIBIBYTE, 10 * GIBIBYTE, command("go clean -cache -modcache"), shell("export XDG_CACHE_HOME=DIR"))
BUILT = DiskSpace(
    256 * MEBIBYTE,
    GIBIBYTE,
    instructions(command("df -h"), ", or ", shell("export XDG_CACHE_HOME=DIR")),
    shell("export XDG_CACHE_HOME=DIR"),
)
STATE = DiskSpace(
    256 * MEBIBYTE,
    GIBIBYTE,
    instructions(command("df -h"), ", or ", shell("export XDG_STATE_HOME=DIR")),
    shell("export XDG_STATE_HOME=DIR"),
)
# A node image with what Flux pulls into a node.
IMAGES = DiskSpace(3 * GIBIBYTE, 8 * GIBIBYTE, instructions(command("docker system df"), ", then ", command("docker system prune")))


def engine(patient: DoctorContext) -> Iterator[Diagnosis]:
    chosen = None if patient.provisioner == AUTO else PROVISIONERS[patient.provisioner].needs_engine
    yield judge_engine(patient.engine, preferred(with_engine=False) if chosen is None else patient.provisioner, needed=chosen)


def capabilities(patient: DoctorContext) -> Iterator[Diagnosis]:
    runtime = patient.engine.runtime if isinstance(patient.engine, EngineFacts) else ""
    yield judge_capabilities(here.capabilities("dockerd", "the Docker engine", runtime), needed=patient.needs_engine)


def cgroups(patient: DoctorContext) -> Iterator[Diagnosis]:
    rootless = isinstance(patient.engine, EngineFacts) and patient.engine.rootless
    yield judge_cgroups(here.cgroups(), kubernetes(patient), rootless=rootless)


def kubernetes(patient: DoctorContext) -> str:
    """The version that the environment's nodes run: the definition's, or the pinned one."""
    wanted = patient.definition.kubernetes_version if patient.definition else ""
    return wanted or f"v{patient.toolchain.version('kubelet')}"


def inotify(patient: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_inotify(here.inotify())


def memory(patient: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_memory(here.memory(), len(patient.definition.nodes) if patient.definition else 1)


def disks(patient: DoctorContext) -> Iterator[Diagnosis]:
    yield judge_disk(here.disk("state", state_folder()), STATE)
    yield judge_disk(here.disk("cache", cache_folder()), BUILDING if patient.toolchain.missing(patient.tools) else BUILT)
    if isinstance(patient.engine, EngineFacts) and patient.engine.local and Path(patient.engine.root).exists():
        yield judge_disk(here.disk("images", Path(patient.engine.root), ours=False), IMAGES)


def clock(patient: DoctorContext) -> Iterator[Diagnosis]:
    running = kubeconfig_entries(patient.environment.definition.name) if patient.definition else ()
    readings = [*_floors(patient), *(reading for entry in running if (reading := _date(entry)))]
    yield from judge_clock(time.time(), readings, [found for entry in running for found in _validities(entry, patient.name)])


def _floors(patient: DoctorContext) -> Iterator[ClockReading]:
    yield ClockReading("the time of devloop's own files", Path(here.__file__).stat().st_mtime, floor=True)
    if isinstance(patient.engine, EngineFacts) and patient.engine.time:
        yield ClockReading("the container engine", patient.engine.time)


def _date(entry: KubeconfigEntry) -> ClockReading | None:
    found = date_of(entry.server, CHECK_TIMEOUT)
    return ClockReading("the API server", found) if found else None


def _validities(entry: KubeconfigEntry, name: str) -> Iterator[Validity]:
    renewal = instructions(DevloopCommand("down", name), ", then ", DevloopCommand("up", name))
    for what, pem in (("its authority", entry.authority), ("your certificate", entry.certificate)):
        if found := validity(pem):
            yield Validity(f"{what} in the context {entry.context}", *found, renewal)
