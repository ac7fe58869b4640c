"""Host processes next to a cluster: what is asked for runs under the environment's supervisor and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devloop import __version__
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.report import Emit
from devloop.runtime import control
from devloop.runtime.components import ComponentContext, Program, ToolPaths
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ensure_ports, move_ports, ports
from devloop.runtime.readiness import CrashLoop, await_ready

# How often a start is tried with other ports, when another program was quicker to take one.
ATTEMPTS = 3


@dataclass(frozen=True)
class ProcessRuntime:
    """The processes of one environment. The provisioner gives `claim`, which raises where the environment is another repository's, and
    `configure`, which writes what depends on the ports."""

    layout: Layout
    definition: ClusterDefinition
    tools: ToolPaths
    stop: threading.Event
    claim: Callable[[Emit], None]
    configure: Callable[[ComponentContext], None]
    _starting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def site(self) -> ComponentContext:
        return ComponentContext(self.layout, self.definition, self.tools, ports(self.layout))

    def ensure_supervisor(self, emit: Emit) -> None:
        """A supervisor answers, and everything that its components read is there."""
        with self._starting:
            self.claim(emit)
            # An older devloop's may mean other things by the same words.
            if control.version(self.layout) == __version__:
                return
            control.end(self.layout)
            self.layout.make()
            with control.launched(self.layout, self.stop):
                ensure_ports(self.layout)
                self.configure(self.site)

    def run(self, programs: Mapping[str, Program]) -> bool:
        """Have the programs run and answer; whether any of them was started. Ports that others took are given up."""
        started = False
        for attempt in range(1, ATTEMPTS + 1):
            site = self.site
            started |= control.start(self.layout, [program.command(site) for program in programs.values()])
            try:
                for name, program in programs.items():
                    if program.probe:
                        await_ready(site, name, program, programs, self.stop)
                return started
            except CrashLoop as error:
                if not error.port_was_taken or attempt == ATTEMPTS:
                    raise
            with self._starting:
                move_ports(self.layout, tuple(programs))
                self.configure(self.site)
        return started
