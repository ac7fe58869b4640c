"""The pinned programs that the run needs are installed."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import outcome


@dataclass(frozen=True)
class InstallTools:
    names: tuple[str, ...]
    title: str = "toolchain"
    needs: tuple[str, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.toolchain.ensure(self.names, session.emit, session.stop))
