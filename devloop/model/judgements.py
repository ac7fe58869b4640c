"""What the build worker's judges say of rendered objects, each tied to the object. No I/O; rules turn it into faults."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.policy import Statement
from devloop.model.violation import Oversight, Violated


@dataclass(frozen=True)
class Judgements:
    """One field for each judge, filled by devloop/repository/judging.py."""

    policies: tuple[Statement, ...] = ()
    schema: tuple[Violated, ...] = ()
    oversights: tuple[Oversight, ...] = ()
