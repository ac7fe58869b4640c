"""The Git server answers and holds the snapshot of the working tree."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.cluster.environment import Source
from devloop.model.report import Outcome
from devloop.repository.snapshot import push
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class ServeGit:
    title: str = "git server"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.git_server.ensure(session.emit))


@dataclass(frozen=True)
class PushSnapshot:
    source: Output[Source]
    title: str = "push"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        endpoint = session.git_server.endpoint()
        pushed = push(session.environment.root, self.source.value, endpoint.push_url, endpoint.push_user, endpoint.push_password)
        return outcome(pushed, "" if pushed else "the server has it")
