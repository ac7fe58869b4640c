"""The pinned programs and the node image that the run needs are there."""

from dataclasses import dataclass

from devloop.model.flux.graph import Graph
from devloop.model.flux.names import REQUIRED_CONTROLLERS
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class InstallTools:
    """Without a `graph`, what rendering and every environment need; with one, what its controllers need as well."""

    graph: Output[Graph] | None = None
    title: str = "toolchain"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        names = self.graph.value.controllers if self.graph else REQUIRED_CONTROLLERS
        tools = (*(() if self.graph else ("worker",)), *session.provisioner.tools(), *session.controllers.tools(names))
        installed = session.toolchain.ensure(tools, session.emit, session.stop)
        if not self.graph:
            return outcome(installed)
        session.toolchain.end_builds()
        return outcome(session.provisioner.fetch(session.emit) or installed)
