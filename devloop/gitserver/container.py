"""The environment's Git server as a container on the nodes' network, published on loopback only; its data is in a named volume."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devloop.clients import http
from devloop.clients.background import unless_stopped
from devloop.clients.basic_auth import authorization
from devloop.clients.engine.containers import Container, ContainerSpec
from devloop.clients.ports import LOOPBACK
from devloop.clients.wait import until
from devloop.errors import DevloopError
from devloop.gitserver import git_server
from devloop.gitserver.credentials import GitEndpoint, endpoint, passwords
from devloop.gitserver.git_server import PUSHER, REPOSITORY
from devloop.hint import DevloopCommand, command
from devloop.model.report import Emit
from devloop.runtime.containers import ROOT_LABEL, ContainerRuntime

PORT = 8080
CREDENTIALS = "/run/devloop/credentials.json"
DATA = "/srv/git"
IMAGE_LABEL = "devloop.dev/image"

PATIENCE = 60.0  # seconds for the network to be made, and for the server to answer
PAUSE = 0.03


@dataclass(frozen=True)
class ContainerGitServer:
    """As `GitServer`; a container of the environment's engine."""

    runtime: ContainerRuntime

    @property
    def name(self) -> str:
        """Of the container and of its volume; Flux reaches it by this name."""
        return f"devloop-{self.runtime.environment.definition.name}-git"

    def ensure(self, emit: Emit) -> bool:
        image, known = self._ensure_image(), passwords(self.runtime.folder)
        found = self._own(self.runtime.containers.find(self.name))
        if found and self._fits(found, image) and _takes(found, known):
            return False
        if found:
            # What counts of it is in the volume.
            self.runtime.containers.remove(self.name)
        self._run(image, known)
        self._await_answer(known)
        return True

    def endpoint(self) -> GitEndpoint:
        found = self.runtime.containers.find(self.name)
        if not (found and found.ports):
            raise DevloopError(f"the Git server {self.name} does not run", hint=DevloopCommand("up", self.runtime.environment.name))
        push = f"http://{LOOPBACK}:{found.ports[f'{PORT}/tcp']}/{REPOSITORY}"
        return endpoint(self.runtime.folder, push, f"http://{self.name}:{PORT}/{REPOSITORY}")

    def _own(self, found: Container | None) -> Container | None:
        if found and not self.runtime.is_ours(found):
            root = found.labels.get(ROOT_LABEL, "")
            owner = f"an environment of {root}" if root else "somebody else"
            raise DevloopError(f"the container name {self.name} is taken by {owner}", hint=command("docker rm --force", self.name))
        return found

    def _fits(self, found: Container, image: str) -> bool:
        """Made from this image, for this repository, on the network as it is now, with its volume."""
        return (
            found.labels.get(ROOT_LABEL) == self.runtime.labels[ROOT_LABEL]
            and found.labels.get(IMAGE_LABEL) == image
            and self.runtime.network in found.networks
            and self.name in found.volumes
            and self.runtime.containers.volume(self.name) is not None
        )

    def _ensure_image(self) -> str:
        files = {
            "Dockerfile": Path(__file__).with_name("Dockerfile").read_bytes(),
            "git_server.py": Path(git_server.__file__).read_bytes(),
        }
        images, base = self.runtime.images, self.runtime.own_images.get("git-server-base", "")
        identity = images.identity(base) if base else ""
        digest = hashlib.sha256(repr((sorted(files.items()), identity)).encode()).hexdigest()[:12]
        reference = f"localhost/devloop/git-server:{digest}"
        if not images.identity(reference):
            arguments, stop = {"BASE": base} if base else {}, self.runtime.stop
            unless_stopped(lambda: images.build(reference, files, arguments, stop), "the image of the Git server", stop)
        return reference

    def _run(self, image: str, known: Mapping[str, str]) -> None:
        self.runtime.containers.make_volume(self.name, self.runtime.labels)
        self._await_network()
        labels = {**self.runtime.labels, IMAGE_LABEL: image}
        wanted = ContainerSpec(self.name, image, self.runtime.network, labels, (PORT,), {self.name: DATA})
        self.runtime.containers.run(wanted, {CREDENTIALS: json.dumps(known).encode()})

    def _await_network(self) -> None:
        """It comes with the first cluster."""
        network = self.runtime.network

        def made() -> bool:
            self.runtime.check()
            return self.runtime.containers.has_network(network)

        what = f"the network {network}"
        until(made, what, patience=PATIENCE, stop=self.runtime.stop, hint=command("docker network ls"), pause=PAUSE)

    def _await_answer(self, known: Mapping[str, str]) -> None:
        hint = command("docker logs", self.name)

        def answered() -> bool:
            found = self.runtime.containers.find(self.name)
            if found and found.state in ("exited", "dead", "restarting"):
                raise DevloopError(f"the Git server ended: {self.runtime.containers.tail(self.name, 3)}", hint=hint)
            return found is not None and _takes(found, known)

        until(answered, "an answer of the Git server", patience=PATIENCE, stop=self.runtime.stop, hint=hint, pause=PAUSE)


def _takes(server: Container, known: Mapping[str, str]) -> bool:
    """Whether it answers and knows who we are: asked for what it does not have, it then says just that."""
    port = server.ports.get(f"{PORT}/tcp") if server.runs else None
    if not port:
        return False
    headers = {"Authorization": authorization(PUSHER, known[PUSHER])}
    return http.status(LOOPBACK, port, "/", headers=headers, timeout=2) == http.NOT_FOUND
