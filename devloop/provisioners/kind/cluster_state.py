"""Which cluster of Kind is ours: written before anything is created, so that whatever an interrupted run leaves is known to be ours.

Names are one engine's: another repository's cluster, or one that was made by hand, is never touched.
"""

from __future__ import annotations

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
    """The folder of one cluster: its claim, a kubeconfig of ours, the passwords of the Git server."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def credentials(self) -> Path:
        return self.folder / "git-credentials.json"

    @property
    def scratch(self) -> Path:
        """What Kind itself writes as kubeconfig; ours is read from the node earlier."""
        return self.folder / "kind-kubeconfig"

    @property
    def owner(self) -> Ownership:
        return Ownership(self.folder / "owner.json")

    @property
    def exists(self) -> bool:
        return bool(self.owner.content)

    @property
    def is_whole(self) -> bool:
        """Whether Kind came to its end: what it leaves half-made cannot be continued."""
        return bool(self.owner.content.get("whole"))

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What the definition said of the cluster when it was created."""
        found = self.owner.content.get("configuration")
        return found if isinstance(found, dict) else {}

    @property
    def image(self) -> str:
        """Of the nodes that name none, '' for Kind's default."""
        return str(self.owner.content.get("image", ""))

    def make(self, environment: Environment, configuration: Mapping[str, Any], image: str, engine: tuple[str, str]) -> None:
        """`engine` is the identity and the address of the engine that it will be in."""
        private_files.make_folder(self.folder)
        identity, address = engine
        self.owner.take(environment, configuration=configuration, image=image, engine=identity, address=address, whole=False)

    def refuse_elsewhere(self, environment: Environment, engine: str) -> None:
        """Raises DevloopError where the cluster is in another engine than the one of the identity `engine`."""
        known = self.owner.content
        if known.get("engine", engine) != engine:
            message = f"{environment.name} is in another container engine, the one at {known.get('address')}"
            down, remove = DevloopCommand("down", environment.name), command("rm -r", self.folder)
            hint = instructions(f"DOCKER_HOST={known.get('address')} ", down, "; if that engine is no more: ", remove)
            raise DevloopError(message, hint=hint)

    def complete(self) -> None:
        self.owner.note(whole=True)

    def remove(self) -> bool:
        """False where there was none."""
        if not self.folder.exists():
            return False
        shutil.rmtree(self.folder)
        return True
