"""The checks in the order in which they are told. Each looks through the doors and hands the facts to the judgement in model.doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devloop.doctor import environment, machine, programs
from devloop.doctor.context import DoctorContext
from devloop.model.doctor.diagnosis import Diagnosis


@dataclass(frozen=True)
class Check:
    """`limit` in seconds; `of_environment`: it makes sense only for one."""

    name: str
    look: Callable[[DoctorContext], Iterable[Diagnosis]]
    limit: float = 15.0
    of_environment: bool = False


CHECKS: tuple[Check, ...] = (
    Check("engine", machine.engine),
    Check("capabilities", machine.capabilities),
    Check("cgroups", machine.cgroups),
    Check("inotify", machine.inotify),
    Check("memory", machine.memory),
    Check("disk", machine.disks),
    Check("clock", machine.clock),
    Check("git", programs.git),
    Check("python", programs.python),
    Check("go", programs.go),
    Check("toolchain", programs.toolchain),
    Check("kind", programs.kind),
    Check("kubectl", programs.kubectl),
    Check("kubeconfig", environment.kubeconfig),
    Check("repository", environment.repository, of_environment=True),
    Check("definition", environment.definition, of_environment=True),
    Check("ports", environment.ports, of_environment=True),
    Check("keys", environment.keys, of_environment=True),
)
