"""What the tests of the doctor examine."""

from __future__ import annotations

from pathlib import Path

from devloop.doctor import DoctorContext
from devloop.model.doctor.diagnosis import Diagnosis
from devloop.repository.environments import find_root


def patient(root: Path, name: str = "", **more: object) -> DoctorContext:
    return DoctorContext(lambda: find_root(root), name, **more)  # type: ignore[arg-type]


def by_check(diagnoses: tuple[Diagnosis, ...]) -> dict[str, Diagnosis]:
    return {diagnosis.check: diagnosis for diagnosis in diagnoses}
