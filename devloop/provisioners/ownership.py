"""The repository that owns an environment, so that another one with the same name cannot take it over by accident."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.clients import kubeconfig, private_files
from devloop.errors import DevloopError
from devloop.hint import command
from devloop.model.cluster.environment import Environment


@dataclass(frozen=True)
class Ownership:
    """Stored in `file` of the state folder, with the kubeconfigs that contain the context."""

    file: Path

    @property
    def content(self) -> Mapping[str, object]:
        return private_files.read_json(self.file)

    @property
    def root(self) -> str:
        """The owning repository, or ''."""
        return str(self.content.get("root", ""))

    def take(self, environment: Environment, **more: object) -> None:
        """Make the environment's repository the owner; `more` is stored with it."""
        self.note(root=_root(environment), environment=environment.name, **more)

    def note(self, **more: object) -> None:
        private_files.write_json(self.file, {**self.content, **more})

    def is_foreign(self, environment: Environment) -> bool:
        """Whether another repository owns it."""
        return self.root not in ("", str(environment.root), _root(environment))

    def refuse_foreign(self, environment: Environment) -> None:
        """Raises DevloopError if another repository that still exists owns it."""
        if self.is_foreign(environment) and private_files.folder_exists(Path(self.root)):
            message = f"the name {environment.definition.name} is used by an environment of {self.root}"
            raise DevloopError(message, hint=command("devloop -C", self.root, "down", *filter(None, [self.content.get("environment")])))

    def enter_context(self, entry: Mapping[str, Any]) -> bool:
        """Add the context of `entry` (a kubeconfig) to the user's kubeconfig; whether that changed it."""
        path = kubeconfig.user_kubeconfig()
        if path not in self._kubeconfigs():
            self.note(kubeconfigs=[*map(str, self._kubeconfigs()), str(path)])
        return kubeconfig.merge(entry, path)

    def leave_context(self, name: str) -> bool:
        """Remove the context from every kubeconfig that may have it; whether one had."""
        removed = [kubeconfig.remove(name, path) for path in {kubeconfig.user_kubeconfig(), *self._kubeconfigs()}]
        return any(removed)

    def _kubeconfigs(self) -> list[Path]:
        paths = self.content.get("kubeconfigs")
        return [Path(path) for path in paths] if isinstance(paths, list) else []


def _root(environment: Environment) -> str:
    return str(environment.root.resolve())
