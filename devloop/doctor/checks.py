"""The checks in the order of the report. Each collects facts from the clients; model.doctor evaluates them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devloop.doctor import environment, machine, programs
from devloop.doctor.context import DoctorContext
from devloop.model.doctor.diagnosis import Diagnosis


@dataclass(frozen=True)
class DoctorCheck:
    """`limit` in seconds; `of_environment` checks need an environment, `of_linux` checks are about its kernel."""

    name: str
    look: Callable[[DoctorContext], Iterable[Diagnosis]]
    limit: float = 15.0
    of_environment: bool = False
    of_linux: bool = False


CHECKS: tuple[DoctorCheck, ...] = (
    DoctorCheck("system", machine.system),
    DoctorCheck("engine", machine.engine),
    DoctorCheck("capabilities", machine.capabilities, of_linux=True),
    DoctorCheck("cgroups", machine.cgroups, of_linux=True),
    DoctorCheck("inotify", machine.inotify, of_linux=True),
    DoctorCheck("memory", machine.memory),
    DoctorCheck("disk", machine.disks),
    DoctorCheck("cache", machine.cache),
    DoctorCheck("clock", machine.clock),
    DoctorCheck("git", programs.git),
    DoctorCheck("python", programs.python),
    DoctorCheck("go", programs.go),
    DoctorCheck("toolchain", programs.toolchain),
    DoctorCheck("kind", programs.kind),
    DoctorCheck("kubectl", programs.kubectl),
    DoctorCheck("kubeconfig", environment.kubeconfig),
    DoctorCheck("repository", environment.repository, of_environment=True),
    DoctorCheck("definition", environment.definition, of_environment=True),
    DoctorCheck("ports", environment.ports, of_environment=True),
    DoctorCheck("keys", environment.keys, of_environment=True),
)
