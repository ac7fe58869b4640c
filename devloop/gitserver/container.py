"""The environment's Git server as a container on Kind's network, published on loopback only; its data is in a named volume."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from devloop.clients import http, private_files
from devloop.clients.basic_auth import authorization
from devloop.clients.containers import LOOPBACK, Container, Containers, Wanted
from devloop.clients.images import ImageStore
from devloop.clients.kind import NETWORK
from devloop.clients.wait import until
from devloop.errors import DevloopError
from devloop.gitserver import git_server
from devloop.gitserver.credentials import GitEndpoint
from devloop.gitserver.git_server import PULLER, PUSHER, REPOSITORY
from devloop.model.cluster.environment import Environment

PORT = 8080
CREDENTIALS = "/run/devloop/credentials.json"
DATA = "/srv/git"

# On all that is ours in the engine.
ENVIRONMENT_LABEL, ROOT_LABEL = "devloop.dev/environment", "devloop.dev/root"

PATIENCE = 60.0  # seconds for Kind to make its network, and for the server to answer
PAUSE = 0.03


class GitServer:
    """The one of one environment. `base` tells the image that its own is built on, '' for the Dockerfile's default."""

    def __init__(
        self, environment: Environment, containers: Containers, images: ImageStore, credentials: Path, base: Callable[[], str]
    ) -> None:
        self._environment = environment
        self._containers = containers
        self._images = images
        self._credentials = credentials
        self._base = base

    @property
    def name(self) -> str:
        """Of the container and of its volume; Flux reaches it by this name."""
        return f"devloop-{self._environment.definition.name}-git"

    def ensure(self, check: Callable[[], None], stop: threading.Event) -> bool:
        """It answers and takes our passwords; whether anything had to be done for that. `check` raises once there will be no cluster."""
        image, passwords = self._ensure_image(stop), self._passwords()
        found = self._own(self._containers.find(self.name))
        if found and self._fits(found, image) and _takes(found, passwords):
            return False
        if found:
            # What counts of it is in the volume.
            self._containers.remove(self.name)
        self._run(image, passwords, check, stop)
        self._await_answer(passwords, stop)
        return True

    def endpoint(self) -> GitEndpoint:
        found = self._containers.find(self.name)
        if not (found and found.ports):
            raise DevloopError(f"the Git server {self.name} does not run", hint=f"devloop up {self._environment.name}")
        passwords = self._passwords()
        push = f"http://{LOOPBACK}:{found.ports[f'{PORT}/tcp']}/{REPOSITORY}"
        pull = f"http://{self.name}:{PORT}/{REPOSITORY}"
        return GitEndpoint(push, pull, PUSHER, passwords[PUSHER], PULLER, passwords[PULLER])

    def find(self) -> Container | None:
        """The container, where it is this environment's."""
        found = self._containers.find(self.name)
        return found if found and found.labels.get(ROOT_LABEL) == self._labels[ROOT_LABEL] else None

    def delete(self) -> bool:
        """False where there was neither a container nor a volume."""
        found = self._containers.find(self.name)
        removed = found is not None and self._is_ours(found) and self._containers.remove(self.name)
        volume = self._containers.volume(self.name)
        ours = volume is not None and volume.labels.get(ENVIRONMENT_LABEL) == self._labels[ENVIRONMENT_LABEL]
        return (ours and self._containers.remove_volume(self.name)) or removed

    # -- the parts --------------------------------------------------------------------------------------------------------------------

    @property
    def _labels(self) -> dict[str, str]:
        return {ENVIRONMENT_LABEL: self._environment.definition.name, ROOT_LABEL: str(self._environment.root.resolve())}

    def _own(self, found: Container | None) -> Container | None:
        if found and not self._is_ours(found):
            root = found.labels.get(ROOT_LABEL, "")
            owner = f"an environment of {root}" if root else "somebody else"
            raise DevloopError(f"the container name {self.name} is taken by {owner}", hint=f"docker rm --force {self.name}")
        return found

    def _is_ours(self, found: Container) -> bool:
        """Of this repository, or of one that is gone."""
        root = found.labels.get(ROOT_LABEL, "")
        return root == self._labels[ROOT_LABEL] or (root != "" and not Path(root).is_dir())

    def _fits(self, found: Container, image: str) -> bool:
        """Made from this image, for this repository, on Kind's network as it is now, with its volume."""
        return (
            found.labels.get(ROOT_LABEL) == self._labels[ROOT_LABEL]
            and found.labels.get("devloop.dev/image") == image
            and NETWORK in found.networks
            and self.name in found.volumes
            and self._containers.volume(self.name) is not None
        )

    def _ensure_image(self, stop: threading.Event) -> str:
        files = {
            "Dockerfile": Path(__file__).with_name("Dockerfile").read_bytes(),
            "git_server.py": Path(git_server.__file__).read_bytes(),
        }
        base = self._base()
        identity = self._images.identity(base) if base else ""
        digest = hashlib.sha256(repr((sorted(files.items()), identity)).encode()).hexdigest()[:12]
        reference = f"localhost/devloop/git-server:{digest}"
        if not self._images.identity(reference):
            self._images.build(reference, files, {"BASE": base} if base else {}, stop)
        return reference

    def _run(self, image: str, passwords: Mapping[str, str], check: Callable[[], None], stop: threading.Event) -> None:
        self._containers.make_volume(self.name, self._labels)
        self._await_network(check, stop)
        labels = {**self._labels, "devloop.dev/image": image}
        wanted = Wanted(self.name, image, NETWORK, labels, (PORT,), {self.name: DATA})
        self._containers.run(wanted, {CREDENTIALS: json.dumps(passwords).encode()})

    def _await_network(self, check: Callable[[], None], stop: threading.Event) -> None:
        """Kind makes it first thing, when it creates its first cluster."""

        def made() -> bool:
            check()
            return self._containers.has_network(NETWORK)

        until(made, f"Kind's network {NETWORK}", patience=PATIENCE, stop=stop, hint="docker network ls", pause=PAUSE)

    def _await_answer(self, passwords: Mapping[str, str], stop: threading.Event) -> None:
        def answered() -> bool:
            found = self._containers.find(self.name)
            if found and found.state in ("exited", "dead", "restarting"):
                raise DevloopError(f"the Git server ended: {self._containers.tail(self.name, 3)}", hint=f"docker logs {self.name}")
            return found is not None and _takes(found, passwords)

        until(answered, "an answer of the Git server", patience=PATIENCE, stop=stop, hint=f"docker logs {self.name}", pause=PAUSE)

    def _passwords(self) -> Mapping[str, str]:
        """User -> password; made where there are none."""
        known = private_files.read_json(self._credentials)
        if not known:
            known = {user: secrets.token_urlsafe(32) for user in (PUSHER, PULLER)}
            private_files.make_folder(self._credentials.parent)
            private_files.write_json(self._credentials, known)
        return {user: str(word) for user, word in known.items()}


def _takes(server: Container, passwords: Mapping[str, str]) -> bool:
    """Whether it answers and knows who we are: asked for what it does not have, it then says just that."""
    port = server.ports.get(f"{PORT}/tcp") if server.runs else None
    if not port:
        return False
    known = {"Authorization": authorization(PUSHER, passwords[PUSHER])}
    return http.status(LOOPBACK, port, "/", headers=known, timeout=2) == http.NOT_FOUND
