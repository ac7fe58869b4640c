"""`devloop doctor`: runs the checks in parallel, each with a time limit; a bug in one of them does not affect the others."""

import functools
import time
from concurrent.futures import Future

from devloop.clients.background import in_background
from devloop.clients.machine import is_linux
from devloop.doctor.checks import CHECKS, DoctorCheck
from devloop.doctor.context import DoctorContext
from devloop.errors import DevloopError, InputError
from devloop.model.doctor.diagnosis import Diagnosis, failed
from devloop.runner import write_traceback

__all__ = ["DoctorContext", "examine"]


def examine(context: DoctorContext) -> tuple[Diagnosis, ...]:
    """The diagnoses in the order of CHECKS: without an environment only those of the machine, and of a kernel only where it is Linux."""
    start = time.monotonic()
    checks = [check for check in CHECKS if (context.name or not check.of_environment) and (is_linux() or not check.of_linux)]
    running = [(check, in_background(functools.partial(_run, check, context), f"check-{check.name}")) for check in checks]
    return tuple(diagnosis for check, future in running for diagnosis in _result(check, future, start))


def _result(check: DoctorCheck, future: Future[list[Diagnosis]], start: float) -> list[Diagnosis]:
    try:
        return future.result(max(0.0, start + check.limit - time.monotonic()))
    except TimeoutError:
        return [failed(check.name, f"no answer within {check.limit:.0f} s", "run it again when the machine is less busy")]


def _run(check: DoctorCheck, context: DoctorContext) -> list[Diagnosis]:
    try:
        return list(check.look(context))
    except InputError as error:
        return [failed(check.name, str(p), p.hint or context.edit(p)) for p in error.problems] or [_failed(check, error)]
    except DevloopError as error:
        return [_failed(check, error)]
    except Exception as error:  # noqa: BLE001 (a bug in one check must not affect the others)
        hint = f"please report it with {write_traceback(error)}"
        return [failed(check.name, f"the check failed with {type(error).__name__}", hint)]


def _failed(check: DoctorCheck, error: DevloopError) -> Diagnosis:
    return failed(check.name, error.message, error.hint or "run it again, or check the folder and the program in the message")
