"""`devloop doctor`: every check side by side, each with a time limit; one that breaks is a failed line and nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from devloop.doctor.checks import CHECKS, DoctorCheck
from devloop.doctor.context import DoctorContext
from devloop.errors import DevloopError, InputError
from devloop.model.doctor.diagnosis import Diagnosis, failed
from devloop.runner import write_traceback

__all__ = ["DoctorContext", "examine"]


def examine(patient: DoctorContext) -> tuple[Diagnosis, ...]:
    """The diagnoses in the order of CHECKS; without an environment only those of the machine."""
    wanted = [check for check in CHECKS if patient.name or not check.of_environment]
    running = [_Running(check, patient) for check in wanted]
    return tuple(diagnosis for each in running for diagnosis in each.result())


@dataclass
class _Running:
    """A check in a thread of its own, which nobody waits for once its time is over."""

    check: DoctorCheck
    patient: DoctorContext
    found: tuple[Diagnosis, ...] | None = None
    start: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"check-{self.check.name}", daemon=True)
        self._thread.start()

    def result(self) -> tuple[Diagnosis, ...]:
        self._thread.join(max(0.0, self.start + self.check.limit - time.monotonic()))
        if self.found is None:
            return (failed(self.check.name, f"no answer within {self.check.limit:.0f} s", "run it again when the machine is less busy"),)
        return self.found

    def _run(self) -> None:
        self.found = tuple(_attempt(self.check, self.patient))


def _attempt(check: DoctorCheck, patient: DoctorContext) -> Iterable[Diagnosis]:
    try:
        return tuple(check.look(patient))
    except InputError as error:
        return [failed(check.name, str(p), p.hint or patient.edit(p)) for p in error.problems] or [_failed(check, error)]
    except DevloopError as error:
        return [_failed(check, error)]
    except Exception as error:  # noqa: BLE001 (the boundary: a bug in one check must not take the others with it)
        hint = f"please report it with {write_traceback(error)}"
        return [failed(check.name, f"the check broke: {type(error).__name__}", hint)]


def _failed(check: DoctorCheck, error: DevloopError) -> Diagnosis:
    return failed(check.name, error.message, error.hint or "run it again, or see the folder and the program that it names")
