"""What the checks look at together: looked at once, when first asked for, whichever check comes first."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from devloop.clients.engine.facts import read_engine_facts
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import Hint, shell
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.doctor.engine import EngineFacts, NoEngine
from devloop.provisioners import AUTO, PROVISIONERS, existing
from devloop.repository.environments import load_environment
from devloop.toolchain import Toolchain, ToolState

T = TypeVar("T")

# Seconds for a program or an API server to answer what takes milliseconds: a machine may be busy with builds.
CHECK_TIMEOUT = 5.0
# An engine asks its own parts before it answers; what hangs on it has to be told within the limit of a check.
PATIENCE_WITH_ENGINE = 6.0


@dataclass(frozen=True)
class DoctorContext:
    """This machine and, where it has a `name`, one environment; `root` finds the repository, `tools` are what its `up` needs.

    `provisioner` is one of PROVISIONERS or auto.
    """

    root: Callable[[], Path]
    name: str = ""
    definition_file: Path | None = None
    key_file: Path | None = None
    provisioner: str = AUTO
    tools: tuple[str, ...] = ()
    _shared: dict[str, tuple[threading.Lock, list[Any]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def environment(self) -> Environment:
        """Raises InputError with all that is wrong with the definition."""
        return self._once("environment", self._load)

    @property
    def definition(self) -> ClusterDefinition | None:
        """None for the machine alone, and for a definition that is wrong: the check of that name tells why."""
        if not self.name:
            return None
        try:
            return self.environment.definition
        except InputError:
            return None

    @property
    def engine(self) -> EngineFacts | NoEngine:
        return self._once("engine", lambda: read_engine_facts(PATIENCE_WITH_ENGINE))

    @property
    def needs_engine(self) -> bool:
        """Whether `up` would need the container engine."""
        if self.provisioner != AUTO:
            return PROVISIONERS[self.provisioner].needs_engine
        if self.definition and (found := existing(self.definition.name)):
            return any(PROVISIONERS[name].needs_engine for name in found)
        return isinstance(self.engine, EngineFacts)

    @property
    def states(self) -> dict[str, ToolState]:
        """Every pinned tool."""
        return self._once("states", lambda: {state.name: state for state in self.toolchain.states()})

    @property
    def toolchain(self) -> Toolchain:
        return self._once("toolchain", Toolchain)

    def edit(self, problem: Diagnostic) -> Hint:
        """The command that opens the file at the line."""
        where = shlex.quote(str(self.root() / problem.path))
        return shell(f"${{EDITOR:-vi}} +{problem.line} {where}") if problem.line else shell(f"${{EDITOR:-vi}} {where}")

    def _load(self) -> Environment:
        return load_environment(self.root(), self.name, self.definition_file)

    def _once(self, name: str, look: Callable[[], T]) -> T:
        lock, found = self._shared.setdefault(name, (threading.Lock(), []))
        with lock:
            if not found:
                found.append(look())
        result: T = found[0]
        return result
