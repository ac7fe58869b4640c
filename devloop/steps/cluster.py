"""The cluster exists and answers; or, for the way down, nothing of the environment exists any more."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.model.report import Outcome
from devloop.repository.snapshot_store import remove_store
from devloop.session import Session
from devloop.steps import Step, outcome


@dataclass(frozen=True)
class CreateCluster:
    title: str = "cluster"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.provisioner.ensure_cluster(session.emit), "the API server answers")


@dataclass(frozen=True)
class CompleteCluster:
    """What of the cluster is not there yet when its API server answers; where it did not come that far, why."""

    title: str = "nodes"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        is_new = session.provisioner.ensure_nodes(session.emit)
        return outcome(is_new, f"context {session.provisioner.context()}")


@dataclass(frozen=True)
class DeleteEnvironment:
    """`for_good`: also what is only kept for the next run."""

    for_good: bool = True
    title: str = "delete"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        existed = session.provisioner.delete(session.emit)
        if self.for_good:
            # The objects of its snapshots, which are easily made again.
            remove_store(session.environment.root)
        return outcome(existed, "" if existed else "nothing was there")
