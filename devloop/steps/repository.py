"""The repository as Flux sees it: the graph of its Kustomizations, and the working tree as a commit on the Git server."""

from dataclasses import dataclass, replace

from devloop.clients.git import remotes
from devloop.model.cluster.environment import Source
from devloop.model.flux.graph import Graph
from devloop.model.report import Outcome
from devloop.repository.graph import build_graph
from devloop.repository.moments import is_built_from
from devloop.repository.remote_bases import open_fetcher
from devloop.repository.snapshot import push, snapshot
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class BuildGraph:
    """`allow_remote` lets it fetch remote bases (Flux always fetches them)."""

    graph: Output[Graph]
    allow_remote: bool = False
    title: str = "repository"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        with open_fetcher(allowed=self.allow_remote, stop=session.stop) as fetcher:
            graph = build_graph(session.environment, session.worker, remotes=remotes(session.environment.root), fetcher=fetcher)
        self.graph.set(graph)
        return outcome(False, f"{len(graph.nodes)} Kustomizations")


@dataclass(frozen=True)
class TakeSnapshot:
    graph: Output[Graph]
    source: Output[Source]
    title: str = "snapshot"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        root, graph = session.environment.root, self.graph.value
        source = snapshot(root, graph.source_directory)
        self.source.set(replace(source, is_built=is_built_from(graph, root)))
        return outcome(False, source.revision)


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
        return outcome(pushed, "" if pushed else "already on the server")
