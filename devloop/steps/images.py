"""The images that this machine has are in the nodes before anybody needs them."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import outcome


@dataclass(frozen=True)
class LoadImages:
    """`references` are the images of the repository's workloads."""

    references: tuple[str, ...]
    controllers: tuple[str, ...]
    title: str = "images"
    needs: tuple[str, ...] = ()

    def run(self, session: Session) -> Outcome:
        sent = session.provisioner.ensure_images(self.references, self.controllers, session.emit)
        return outcome(sent, f"{len(sent)} sent to the nodes" if sent else "")
