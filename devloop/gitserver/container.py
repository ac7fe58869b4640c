"""The Git server as a container on the nodes' network, published only on loopback; its data is in a named volume."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devloop.clients import http
from devloop.clients.basic_auth import authorization
from devloop.clients.engine.containers import Container, ContainerSpec
from devloop.clients.ports import LOOPBACK
from devloop.clients.wait import until
from devloop.errors import DevloopError
from devloop.gitserver.credentials import GitEndpoint, endpoint, passwords
from devloop.gitserver.git_server import PUSHER, REPOSITORY
from devloop.hint import DevloopCommand, command
from devloop.images.dockerfile import Dockerfile
from devloop.images.image_builder import REGISTRY
from devloop.model.report import Emit
from devloop.runtime.containers import ROOT_LABEL, ContainerRuntime

PORT = 8080
CREDENTIALS = "/run/devloop/credentials.json"
DATA = "/srv/git"
IMAGE_LABEL = "devloop.dev/image"

PATIENCE = 60.0  # seconds for the network, and for the first response
PAUSE = 0.03


@dataclass(frozen=True)
class ContainerGitServer:
    """A `GitServer` in a container."""

    runtime: ContainerRuntime

    @property
    def name(self) -> str:
        """Of the container, its volume and its host name in the network."""
        return f"devloop-{self.runtime.environment.definition.name}-git"

    def ensure(self, emit: Emit) -> bool:
        image, credentials = self._ensure_image(), passwords(self.runtime.folder)
        container = self.runtime.containers.find(self.name)
        if container:
            self._refuse_foreign(container)
            if self._is_current(container, image) and self._continues(container, credentials):
                return container.is_paused
            # Its data is in the volume.
            self.runtime.containers.remove(self.name)
        self._run(image, credentials)
        self._await_response(credentials)
        return True

    def endpoint(self) -> GitEndpoint:
        container = self.runtime.containers.find(self.name)
        if not (container and container.ports):
            raise DevloopError(f"the Git server {self.name} is not running", hint=DevloopCommand("up", self.runtime.environment.name))
        push = f"http://{LOOPBACK}:{container.ports[f'{PORT}/tcp']}/{REPOSITORY}"
        return endpoint(self.runtime.folder, push, f"http://{self.name}:{PORT}/{REPOSITORY}")

    def _continues(self, container: Container, credentials: Mapping[str, str]) -> bool:
        """Whether it responds, also after a pause."""
        if container.is_paused:
            self.runtime.containers.start(container)
            container = replace(container, state="running")
        return _responds(container, credentials)

    def _refuse_foreign(self, container: Container) -> None:
        if not self.runtime.is_ours(container):
            root = container.labels.get(ROOT_LABEL, "")
            owner = f"an environment of {root}" if root else "a container that devloop did not create"
            raise DevloopError(f"the container name {self.name} is used by {owner}", hint=command("docker rm --force", self.name))

    def _is_current(self, container: Container, image: str) -> bool:
        """Whether it has this image, repository, network and volume."""
        return (
            container.labels.get(ROOT_LABEL) == self.runtime.labels[ROOT_LABEL]
            and container.labels.get(IMAGE_LABEL) == image
            and self.runtime.network in container.networks
            and self.name in container.volumes
            and self.runtime.containers.volume(self.name) is not None
        )

    def _ensure_image(self) -> str:
        files = {name: Path(__file__).with_name(name).read_bytes() for name in ("Dockerfile", "git_server.py")}
        images, image = self.runtime.images, Dockerfile(files, self.runtime.own_images.get("git-server-base", ""))
        reference = f"{REGISTRY}/git-server:{image.key(images)}"
        if not images.identity(reference):
            image.build(images, reference, self.runtime.stop)
        return reference

    def _run(self, image: str, credentials: Mapping[str, str]) -> None:
        containers, network, stop = self.runtime.containers, self.runtime.network, self.runtime.stop
        containers.make_volume(self.name, self.runtime.labels)
        until(self._has_network, f"the network {network}", patience=PATIENCE, stop=stop, hint=command("docker network ls"), pause=PAUSE)
        labels = {**self.runtime.labels, IMAGE_LABEL: image}
        spec = ContainerSpec(self.name, image, network, labels, (PORT,), {self.name: DATA})
        containers.run(spec, {CREDENTIALS: json.dumps(credentials).encode()})

    def _has_network(self) -> bool:
        """Whether the network exists: the first cluster creates it."""
        self.runtime.check()
        return self.runtime.containers.has_network(self.runtime.network)

    def _await_response(self, credentials: Mapping[str, str]) -> None:
        hint = command("docker logs", self.name)

        def responds() -> bool:
            container = self.runtime.containers.find(self.name)
            if container and container.state in ("exited", "dead", "restarting"):
                raise DevloopError(f"the Git server exited: {self.runtime.containers.tail(self.name, 3)}", hint=hint)
            return container is not None and _responds(container, credentials)

        until(responds, "a response from the Git server", patience=PATIENCE, stop=self.runtime.stop, hint=hint, pause=PAUSE)


def _responds(server: Container, credentials: Mapping[str, str]) -> bool:
    """Whether it accepts our credentials: it then answers 404, not 401, to a request for /."""
    port = server.ports.get(f"{PORT}/tcp") if server.runs else None
    if not port:
        return False
    headers = {"Authorization": authorization(PUSHER, credentials[PUSHER])}
    return http.status(LOOPBACK, port, "/", headers=headers, timeout=2) == http.NOT_FOUND
