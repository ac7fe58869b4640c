"""Follows the cluster from before the push on, so that no phase of Flux is missed."""

from dataclasses import dataclass

from devloop.clients.kube import WATCHED
from devloop.flux.feed import Feed
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class OpenFeed:
    """Opens `feed` unless an earlier run did, and again if it broke."""

    feed: Output[Feed]
    title: str = "watch"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        if self.feed.is_set and self.feed.value.error:
            self.feed.value.close()
        if not self.feed.is_set or self.feed.value.error:
            self.feed.set(Feed(session.kube))
            self.feed.value.open(WATCHED)
            self.feed.value.watch()
        return outcome(False)
