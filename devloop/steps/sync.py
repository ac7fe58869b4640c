"""Flux knows where the snapshot is and what to make of it, and looks now."""

from __future__ import annotations

import time
from dataclasses import dataclass

from devloop.clients.kube import GIT_REPOSITORIES
from devloop.flux import manifests
from devloop.model.cluster.environment import Source
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import CREDENTIALS_SECRET, NAMESPACE, REQUESTED_AT
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class ConfigureSync:
    graph: Output[Graph]
    source: Output[Source]
    title: str = "sync"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        endpoint = session.git_server.endpoint()
        credentials = {"username": endpoint.pull_user, "password": endpoint.pull_password}
        sources = manifests.own_git_repositories(graph)
        for namespace in sorted({source.namespace for source in sources}):
            if namespace != NAMESPACE:
                session.kube.apply(manifests.namespace(namespace))
            session.kube.apply(manifests.secret(ObjectId(namespace, CREDENTIALS_SECRET), credentials))
        told = [self._tell(session, source, endpoint.pull_url) for source in sources]
        session.kube.apply(manifests.root_kustomization(graph, decryption=bool(session.identities)))
        return outcome(any(told), f"paths count from {_place(graph.source_directory)}")

    def _tell(self, session: Session, source: ObjectId, url: str) -> bool:
        """The source is there; where it has an older revision it is asked to look now."""
        applied = session.kube.apply(manifests.git_repository(source, url, self.source.value.branch))
        artifact = (applied.get("status") or {}).get("artifact") or {}
        if artifact.get("revision") == self.source.value.revision:
            return False
        if applied.get("status"):
            token = {REQUESTED_AT: f"{time.time_ns():020d}"}
            session.kube.annotate(GIT_REPOSITORIES, source.namespace, source.name, token)
        return True


def _place(directory: str) -> str:
    return "the repository's root" if directory == "." else f"{directory}/"
