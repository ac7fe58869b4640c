"""The container engine, and the containers in it that belong to one environment."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from devloop.clients.engine import Engine
from devloop.clients.engine.containers import Container, Containers, Volume
from devloop.clients.engine.images import ImageStore
from devloop.clients.private_files import folder_exists
from devloop.clients.xdg import state_folder
from devloop.images import Images
from devloop.model.cluster.environment import Environment
from devloop.toolchain import Toolchain

# On all our containers and volumes except the nodes.
# STATE_LABEL has the state folder of the user: an engine can have several users.
ENVIRONMENT_LABEL, ROOT_LABEL, STATE_LABEL = "devloop.dev/environment", "devloop.dev/root", "devloop.dev/state"


@dataclass(frozen=True)
class ContainerRuntime:
    """Connects to the engine lazily. Containers and nodes reach each other by name on `network`; `node` is the first control-plane node;
    `folder` holds the environment's state. The provisioner supplies `connect`, and `check`, which raises once the creation has failed."""

    place: ClassVar[Literal["containers"]] = "containers"

    environment: Environment
    toolchain: Toolchain
    stop: threading.Event
    network: str
    node: str
    folder: Path
    connect: Callable[[], Engine]
    check: Callable[[], None]

    @cached_property
    def engine(self) -> Engine:
        return self.connect()

    @cached_property
    def containers(self) -> Containers:
        return Containers(self.engine)

    @cached_property
    def images(self) -> ImageStore:
        return ImageStore(self.engine)

    @cached_property
    def own_images(self) -> Mapping[str, str]:
        """Name -> reference of the images built on this machine."""
        return Images(self.toolchain, self.engine).available()

    @property
    def labels(self) -> Mapping[str, str]:
        root = str(self.environment.root.resolve())
        return {ENVIRONMENT_LABEL: self.environment.definition.name, ROOT_LABEL: root, STATE_LABEL: str(state_folder())}

    def companions(self) -> tuple[Container, ...]:
        """The containers of this environment, except the nodes."""
        return tuple(container for container in self._labelled() if container.labels.get(ROOT_LABEL) == self.labels[ROOT_LABEL])

    def is_ours(self, part: Container | Volume) -> bool:
        """Whether it belongs to this repository or to one that no longer exists."""
        root = part.labels.get(ROOT_LABEL, "")
        return root in (str(self.environment.root), self.labels[ROOT_LABEL]) or (root != "" and not folder_exists(Path(root)))

    def remove(self) -> bool:
        """Remove the companions and their volumes; whether there were any."""
        removed = [self.containers.remove(container.name) for container in self._labelled() if self.is_ours(container)]
        volumes = filter(None, map(self.containers.volume, self.containers.volumes(self._label)))
        removed += [self.containers.remove_volume(volume.name) for volume in volumes if self.is_ours(volume)]
        return any(removed)

    @property
    def _label(self) -> str:
        return f"{ENVIRONMENT_LABEL}={self.environment.definition.name}"

    def _labelled(self) -> tuple[Container, ...]:
        return self.containers.labelled(self._label)
