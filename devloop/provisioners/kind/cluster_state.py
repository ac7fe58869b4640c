"""Which Kind clusters belong to devloop: written before anything is created, so that leftovers of an interrupted run are recognised.

Clusters of other repositories, or created by hand, are never changed.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.clients import private_files
from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, command, instructions
from devloop.model.cluster.environment import Environment
from devloop.provisioners.ownership import Ownership


@dataclass(frozen=True)
class ClusterState:
    """The folder of one cluster: its owner, kubeconfig and Git credentials."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def scratch(self) -> Path:
        """The kubeconfig that Kind writes; ours is read from the node earlier."""
        return self.folder / "kind-kubeconfig"

    @property
    def owner(self) -> Ownership:
        return Ownership(self.folder / "owner.json")

    @property
    def exists(self) -> bool:
        """Whether devloop created the cluster; a damaged record says so too."""
        return self.owner.file.exists() or self.kubeconfig.exists()

    @property
    def is_complete(self) -> bool:
        """Whether Kind finished: an incomplete cluster cannot be continued."""
        return bool(self.owner.content.get("whole"))

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The definition's configuration at the time of creation."""
        configuration = self.owner.content.get("configuration")
        return configuration if isinstance(configuration, dict) else {}

    @property
    def image(self) -> str:
        """The default image of nodes; '' means Kind's."""
        return str(self.owner.content.get("image", ""))

    def make(self, environment: Environment, configuration: Mapping[str, Any], image: str, engine: tuple[str, str]) -> None:
        """`engine` is the engine's identity and address."""
        private_files.make_folder(self.folder)
        identity, address = engine
        self.owner.take(environment, configuration=configuration, image=image, engine=identity, address=address, whole=False)

    def refuse_elsewhere(self, environment: Environment, engine: str) -> None:
        """Raises DevloopError if the cluster is in another engine than `engine` (an identity)."""
        owner = self.owner.content
        if owner.get("engine", engine) != engine:
            message = f"{environment.name} is in another container engine, at {owner.get('address')}"
            down, remove = DevloopCommand("down", environment.name), command("rm -r", self.folder)
            hint = instructions(f"DOCKER_HOST={owner.get('address')} ", down, "; if that engine no longer exists: ", remove)
            raise DevloopError(message, hint=hint)

    def remove(self) -> bool:
        """Whether there was anything to remove."""
        if not self.folder.exists():
            return False
        shutil.rmtree(self.folder)
        return True
