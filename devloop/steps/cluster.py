"""The cluster exists, its nodes have the images and its API server answers; or nothing of the environment runs, or is left."""

from dataclasses import dataclass

from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, command
from devloop.model.flux.graph import Graph
from devloop.model.kubernetes.image import parse_image
from devloop.model.report import Outcome, Status
from devloop.repository.snapshot_store import remove_store
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class CreateCluster:
    title: str = "cluster"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.provisioner.ensure_cluster(session.emit), "the API server answers")


@dataclass(frozen=True)
class CheckRunning:
    """The environment is up, and of this repository; does not wait."""

    title: str = "environment"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        status, environment = session.provisioner.status(), session.environment
        if status.owner not in ("", str(environment.root), str(environment.root.resolve())):
            raise DevloopError(f"{environment.name} belongs to {status.owner}", hint=command("devloop -C", status.owner, "status"))
        if not status.running:
            message = f"{environment.name} is not running" if status.exists else f"there is no environment {environment.name}"
            raise DevloopError(message, hint=DevloopCommand("up", environment.name))
        session.provisioner.attach()
        return outcome(False)


@dataclass(frozen=True)
class CompleteCluster:
    """What the cluster still lacks when its API server answers."""

    title: str = "nodes"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        is_new = session.provisioner.ensure_nodes(session.emit)
        return outcome(is_new, f"context {session.provisioner.context()}")


@dataclass(frozen=True)
class LoadImages:
    """Images that this machine has are on the nodes before a pod needs them; names that no engine accepts are left to the cluster."""

    graph: Output[Graph]
    title: str = "images"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        own = session.controllers.ensure_images(graph.controllers, session.emit)
        references = (*own, *filter(parse_image, graph.images))
        loaded = session.provisioner.ensure_images(references, session.emit)
        return outcome(loaded, f"{len(loaded)} loaded into the nodes" if loaded else "")


@dataclass(frozen=True)
class DeleteEnvironment:
    """`subject` is the message for what was deleted; `for_good` also deletes what is kept for the next run."""

    subject: str = ""
    for_good: bool = True
    title: str = "delete"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        existed = session.provisioner.delete(session.emit)
        if self.for_good and session.environment.root.is_absolute():
            remove_store(session.environment.root)
        return outcome(existed, self.subject if existed else "nothing to delete")


@dataclass(frozen=True)
class StopEnvironment:
    """Nothing of the environment runs; all its state stays. `subject` is the message for what was stopped."""

    subject: str = ""
    title: str = "stop"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        name = session.environment.name
        if not session.provisioner.status().exists:
            return Outcome(Status.FAILED, f"there is no environment {name}", DevloopCommand("up", name))
        stopped = session.provisioner.shut_down(session.emit)
        return outcome(stopped, self.subject if stopped else f"{name} is stopped already")
