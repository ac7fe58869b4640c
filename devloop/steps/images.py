"""The images that this machine has are in the nodes before anybody needs them."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.flux.graph import Graph
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class LoadImages:
    graph: Output[Graph]
    title: str = "images"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        references = (*session.controllers.images(graph.controllers), *graph.images)
        sent = session.provisioner.ensure_images(references, session.emit)
        return outcome(sent, f"{len(sent)} sent to the nodes" if sent else "")
