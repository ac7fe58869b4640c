"""`devloop doctor`: whether this machine and one environment have what `up` needs."""

from collections.abc import Callable
from pathlib import Path

from devloop.commands.toolchain import EVERYTHING
from devloop.doctor import examine
from devloop.doctor.context import DoctorContext
from devloop.model.report import Report
from devloop.provisioners import refuse_elsewhere


def doctor(
    root: Callable[[], Path], name: str, *, definition: Path | None, path: Path | None, provisioner: str, key_file: Path | None
) -> Report:
    """`name` is '' for the machine alone; `root` may raise like any check."""
    refuse_elsewhere(provisioner)
    context = DoctorContext(root, name, definition, path, key_file, provisioner, EVERYTHING)
    return Report("doctor", name, provisioner, diagnoses=examine(context))
