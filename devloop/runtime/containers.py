"""Containers next to a cluster whose nodes are containers themselves: the engine, and what in it belongs to one environment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from devloop.clients.engine import Engine
from devloop.clients.engine.containers import Container, Containers
from devloop.clients.engine.images import ImageStore
from devloop.images import Images
from devloop.model.cluster.environment import Environment
from devloop.toolchain import Toolchain

# On everything of ours in the engine but the nodes.
ENVIRONMENT_LABEL, ROOT_LABEL = "devloop.dev/environment", "devloop.dev/root"


@dataclass(frozen=True)
class ContainerRuntime:
    """The engine is asked when first needed. On `network` containers and nodes reach each other by name; `node` is the name of the first
    control-plane node, `folder` is for the environment's state. The provisioner gives `connect`, and `check`, which raises once there
    will be no cluster."""

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
        """Name -> reference of the images that this machine made itself."""
        return Images(self.toolchain, self.engine).available()

    @property
    def labels(self) -> Mapping[str, str]:
        return {ENVIRONMENT_LABEL: self.environment.definition.name, ROOT_LABEL: str(self.environment.root.resolve())}

    def companions(self) -> tuple[Container, ...]:
        """The containers of this environment, without the nodes."""
        return tuple(found for found in self._labelled() if found.labels.get(ROOT_LABEL) == self.labels[ROOT_LABEL])

    def is_ours(self, found: Container) -> bool:
        """Of this repository, or of one that is gone."""
        root = found.labels.get(ROOT_LABEL, "")
        return root == self.labels[ROOT_LABEL] or (root != "" and not Path(root).is_dir())

    def remove(self) -> bool:
        """Remove the companions and their volumes; False where there were none."""
        removed = [self.containers.remove(found.name) for found in self._labelled() if self.is_ours(found)]
        removed += [self.containers.remove_volume(name) for name in self.containers.volumes(self._label)]
        return any(removed)

    @property
    def _label(self) -> str:
        return f"{ENVIRONMENT_LABEL}={self.environment.definition.name}"

    def _labelled(self) -> tuple[Container, ...]:
        return self.containers.labelled(self._label)
