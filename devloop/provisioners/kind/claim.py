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
from devloop.model.environment import Environment


@dataclass(frozen=True)
class Claim:
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
    def exists(self) -> bool:
        return bool(self._content)

    @property
    def root(self) -> str:
        """The repository whose cluster it is, '' for nobody's."""
        return str(self._content.get("root", ""))

    @property
    def is_whole(self) -> bool:
        """Whether Kind came to its end: what it leaves half-made cannot be continued."""
        return bool(self._content.get("whole"))

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What the definition said of the cluster when it was created."""
        found = self._content.get("configuration")
        return found if isinstance(found, dict) else {}

    @property
    def image(self) -> str:
        """Of the nodes that name none, '' for Kind's default."""
        return str(self._content.get("image", ""))

    def make(self, environment: Environment, configuration: Mapping[str, Any], image: str) -> None:
        private_files.make_folder(self.folder)
        named = {"root": str(environment.root.resolve()), "environment": environment.name, "image": image}
        self._write({**named, "configuration": configuration, "whole": False, "kubeconfigs": self._kubeconfigs()})

    def complete(self) -> None:
        self._write({**self._content, "whole": True})

    def refuse_foreign(self, environment: Environment) -> None:
        """Raises DevloopError where another repository that still exists has the name."""
        root = self.root
        if root and root != str(environment.root.resolve()) and Path(root).is_dir():
            name, other = environment.definition.name, self._content.get("environment", "")
            raise DevloopError(f"the cluster kind-{name} is an environment of {root}", hint=f"devloop -C {root} down {other}")

    def note_kubeconfig(self, path: Path) -> None:
        """Remember a kubeconfig before our context goes into it."""
        if str(path) not in self._kubeconfigs():
            self._write({**self._content, "kubeconfigs": [*self._kubeconfigs(), str(path)]})

    def kubeconfigs(self) -> set[Path]:
        """Every kubeconfig of the user's that has our context."""
        return {Path(path) for path in self._kubeconfigs()}

    def remove(self) -> bool:
        """False where there was none."""
        if not self.folder.exists():
            return False
        shutil.rmtree(self.folder)
        return True

    @property
    def _content(self) -> dict[str, object]:
        return private_files.read_json(self.folder / "claim.json")

    def _kubeconfigs(self) -> list[str]:
        found = self._content.get("kubeconfigs")
        return [str(path) for path in found] if isinstance(found, list) else []

    def _write(self, content: Mapping[str, object]) -> None:
        private_files.write_json(self.folder / "claim.json", content)
