"""Flux is installed, its controllers run, and it reconciles the snapshot."""

import time
from dataclasses import dataclass

from devloop.clients.kube import GIT_REPOSITORIES, KUSTOMIZATIONS, NAMESPACES
from devloop.flux import manifests
from devloop.flux.affected import forget_artifact, leave_unaffected
from devloop.flux.install import install
from devloop.flux.termination import await_gone
from devloop.model.cluster.environment import Source
from devloop.model.flux.artifacts import artifact_revision
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import CREDENTIALS_SECRET, NAMESPACE, REQUESTED_AT
from devloop.model.flux.setup import CONTROLLER, FluxSetup
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.messages import join_some
from devloop.model.report import Outcome
from devloop.provisioners import state_dir
from devloop.session import Session
from devloop.steps import Output, Step, outcome

MOST_NAMES = 6  # Kustomizations in one line


@dataclass(frozen=True)
class InstallFlux:
    graph: Output[Graph]
    title: str = "flux"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        controllers = self.graph.value.controllers
        changed = install(controllers, session.kube, session.toolchain, session.stop, session.emit)
        if changed:
            session.controllers.restart(controllers, session.kube)
        return outcome(changed, ", ".join(controllers) if changed else "")


@dataclass(frozen=True)
class StartControllers:
    graph: Output[Graph]
    title: str = "controllers"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        changed = session.controllers.ensure(graph.controllers, session.kube, graph.setup.gates_to_run)
        return outcome(changed, _difference(graph.setup, session.toolchain.version(CONTROLLER)))


def _difference(setup: FluxSetup, version: str) -> str:
    """Whether the repository's version of Flux is another one."""
    differs = setup.differs_from(version)
    return f"the repository runs Flux {setup.version}, this is kustomize-controller {version}" if differs else ""


@dataclass(frozen=True)
class LeaveUnaffected:
    """What the snapshot does not affect is at it before Flux has it: `unaffected`. Nothing is where that cannot be told."""

    graph: Output[Graph]
    source: Output[Source]
    unaffected: Output[frozenset[ObjectId]]
    title: str = "affected"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph, source = self.graph.value, self.source.value
        folder = state_dir(session.provisioner.name, session.environment.definition.name)
        rest = leave_unaffected(session.kube, graph, source.revision, folder) if source.is_built else frozenset()
        self.unaffected.set(rest)
        affected = [str(node.kustomization.id) for node in graph if node.kustomization.id not in rest]
        return outcome(False, join_some(affected, MOST_NAMES) if rest and affected else "everything" if affected else "nothing")


@dataclass(frozen=True)
class ConfigureSync:
    """Flux has the repository's sources and the root Kustomization, and fetches the snapshot now; for `unaffected` nothing changes."""

    graph: Output[Graph]
    source: Output[Source]
    unaffected: Output[frozenset[ObjectId]] | None = None
    title: str = "sync"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        self._await_removals(session)
        endpoint = session.git_server.endpoint()
        credentials = {"username": endpoint.pull_user, "password": endpoint.pull_password}
        sources = graph.own_git_repositories
        for namespace in sorted({source.namespace for source in sources}):
            if namespace != NAMESPACE:
                session.kube.apply(manifests.namespace(namespace))
            session.kube.apply(manifests.secret(ObjectId(namespace, CREDENTIALS_SECRET), credentials))
        changed = [self._apply_source(session, source, endpoint.pull_url) for source in sources]
        session.kube.apply(manifests.root_kustomization(graph, decryption=bool(session.identities)))
        base = "the repository's root" if graph.source_directory == "." else f"{graph.source_directory}/"
        return outcome(any(changed), f"paths are relative to {base}")

    def _await_removals(self, session: Session) -> None:
        """Flux would wait for a namespace that is being deleted until its timeout."""
        graph = self.graph.value
        kustomizations = {str(node.kustomization.id) for node in graph}
        namespaces = {manifest.name for node in graph for manifest in node.manifests if manifest.kind == "Namespace"}
        for resource, names in ((KUSTOMIZATIONS, kustomizations), (NAMESPACES, namespaces)):
            await_gone(session.kube, resource, names, session.stop, session.emit)

    def _apply_source(self, session: Session, source: ObjectId, url: str) -> bool:
        """Requests a reconciliation of an existing source with an older revision; False if it has this one."""
        applied = session.kube.apply(manifests.git_repository(self.graph.value, source, url, self.source.value.branch))
        if artifact_revision(applied) == self.source.value.revision:
            return False
        if applied.get("status"):
            if self.unaffected and self.unaffected.value:
                forget_artifact(session.kube, applied)
            token = {REQUESTED_AT: f"{time.time_ns():020d}"}
            session.kube.annotate(GIT_REPOSITORIES, source.namespace, source.name, token)
        return True
