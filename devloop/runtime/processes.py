"""Host processes under the environment's supervisor."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from devloop import __version__
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.report import Emit
from devloop.runtime import control
from devloop.runtime.components import ComponentContext, Program, ToolPaths
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ensure_ports, move_ports, ports
from devloop.runtime.readiness import RUNNING_PATIENCE, CrashLoop, Unresponsive, await_ready

ATTEMPTS = 3  # to start programs with other ports if one is in use


@dataclass(frozen=True)
class ProcessRuntime:
    """The processes of one environment. `claim` (raises if another repository owns it) and `configure` (writes files that depend on the
    ports) come from the provisioner."""

    place: ClassVar[Literal["host"]] = "host"

    layout: Layout
    definition: ClusterDefinition
    tools: ToolPaths
    stop: threading.Event
    claim: Callable[[Emit], None]
    configure: Callable[[ComponentContext], None]
    _starting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def context(self) -> ComponentContext:
        return ComponentContext(self.layout, self.definition, self.tools, ports(self.layout))

    def ensure_supervisor(self, emit: Emit) -> None:
        """Start a supervisor of this version if needed, and write the files of its components."""
        with self._starting:
            self.claim(emit)
            if control.version(self.layout) == __version__:
                return
            control.end(self.layout)
            self.layout.make()
            with control.launched(self.layout, self.stop):
                ensure_ports(self.layout)
                self.configure(self.context)

    def run(self, programs: Mapping[str, Program]) -> bool:
        """Make the programs run and wait until they respond; whether any was started. Replaces ports that are in use."""
        started = False
        for attempt in range(1, ATTEMPTS + 1):
            context = self.context
            is_new = control.start(self.layout, [program.command(context) for program in programs.values()])
            started |= is_new
            try:
                for name, program in programs.items():
                    if program.probe:
                        started |= self._await(context, name, programs, is_new=is_new)
                return started
            except CrashLoop as error:
                if not error.port_was_taken or attempt == ATTEMPTS:
                    raise
            with self._starting:
                move_ports(self.layout, tuple(programs))
                self.configure(self.context)
        return started

    def _await(self, context: ComponentContext, name: str, programs: Mapping[str, Program], *, is_new: bool) -> bool:
        """Wait for a program; one that ran already and does not respond (paused, for example) is started again, then True."""
        if is_new:
            await_ready(context, name, programs[name], programs, self.stop)
            return False
        try:
            await_ready(context, name, programs[name], programs, self.stop, RUNNING_PATIENCE)
        except Unresponsive:
            control.kill(self.layout, [name])
            await_ready(context, name, programs[name], programs, self.stop)
            return True
        return False
