"""Facts that several checks share, each collected once on first use."""

import contextlib
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
from devloop.provisioners import AUTO, PROVISIONERS, existing, preferred
from devloop.repository.entry_points import load
from devloop.toolchain import Toolchain, ToolState

T = TypeVar("T")

# Seconds for an answer that usually takes milliseconds: the machine may be busy with builds.
CHECK_TIMEOUT = 5.0
# Slower, but checks that depend on the engine must end within their limit.
ENGINE_TIMEOUT = 6.0


@dataclass(frozen=True)
class DoctorContext:
    """This machine and, if `name` is set, one environment; `root` finds the repository, `tools` are the ones that `up` needs.

    `provisioner` is one of PROVISIONERS or auto; `path` is the folder that Flux enters, in place of the environment's.
    """

    root: Callable[[], Path]
    name: str = ""
    definition_file: Path | None = None
    path: Path | None = None
    key_file: Path | None = None
    provisioner: str = AUTO
    tools: tuple[str, ...] = ()
    _shared: dict[str, tuple[threading.Lock, list[Any]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def environment(self) -> Environment:
        """Raises InputError with all problems of the definition."""
        return self._once("environment", self._load)

    @property
    def definition(self) -> ClusterDefinition | None:
        """None without an environment, and for an invalid definition, which the check of that name reports."""
        with contextlib.suppress(InputError):
            return self.environment.definition if self.name else None
        return None

    @property
    def engine(self) -> EngineFacts | NoEngine:
        return self._once("engine", lambda: read_engine_facts(ENGINE_TIMEOUT))

    @property
    def needs_engine(self) -> bool:
        """Whether `up` would need the container engine."""
        if self.provisioner != AUTO:
            return PROVISIONERS[self.provisioner].needs_engine
        if self.definition and (found := existing(self.definition.name)):
            return any(PROVISIONERS[name].needs_engine for name in found)
        return isinstance(self.engine, EngineFacts) or not preferred(with_engine=False)

    @property
    def states(self) -> dict[str, ToolState]:
        return self._once("states", lambda: {state.name: state for state in self.toolchain.states()})

    @property
    def toolchain(self) -> Toolchain:
        return self._once("toolchain", Toolchain)

    def edit(self, problem: Diagnostic) -> Hint:
        """The command that opens the file at the line."""
        where = shlex.quote(str(self.root() / problem.path))
        return shell(f"${{EDITOR:-vi}} +{problem.line} {where}") if problem.line else shell(f"${{EDITOR:-vi}} {where}")

    def _load(self) -> Environment:
        return load(self.root(), self.name, self.definition_file, self.path)

    def _once(self, name: str, look: Callable[[], T]) -> T:
        lock, found = self._shared.setdefault(name, (threading.Lock(), []))
        with lock:
            if not found:
                found.append(look())
        result: T = found[0]
        return result
