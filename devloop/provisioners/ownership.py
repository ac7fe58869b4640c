"""Whose an environment is, in one file of its state folder. Names are one user's on one machine: another repository's environment must
not be taken over by accident. The file also knows every kubeconfig that got our context."""

from __future__ import annotations

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
    """What `file` says; it may not be there."""

    file: Path

    @property
    def content(self) -> Mapping[str, object]:
        return private_files.read_json(self.file)

    @property
    def root(self) -> str:
        """The owning repository, '' where nothing says so."""
        return str(self.content.get("root", ""))

    def take(self, environment: Environment, **more: object) -> None:
        """The environment is its repository's now, with whatever `more` the provisioner wants to remember."""
        self.note(root=_root(environment), environment=environment.name, **more)

    def note(self, **more: object) -> None:
        private_files.write_json(self.file, {**self.content, **more})

    def is_foreign(self, environment: Environment) -> bool:
        """Whether it belongs to another repository."""
        return self.root not in ("", _root(environment))

    def refuse_foreign(self, environment: Environment) -> None:
        """Raises DevloopError where another repository that still exists has it."""
        if self.is_foreign(environment) and Path(self.root).is_dir():
            message = f"the name {environment.definition.name} is taken by an environment of {self.root}"
            raise DevloopError(message, hint=command("devloop -C", self.root, "down", *filter(None, [self.content.get("environment")])))

    def enter_context(self, entry: Mapping[str, Any]) -> bool:
        """Put the context of `entry` (a kubeconfig) into the user's kubeconfig; whether that changed it."""
        path = kubeconfig.user_kubeconfig()
        if path not in self._kubeconfigs():
            self.note(kubeconfigs=[*map(str, self._kubeconfigs()), str(path)])
        return kubeconfig.merge(entry, path)

    def leave_context(self, name: str) -> bool:
        """Take the context out of every kubeconfig that may have it; whether one had."""
        removed = [kubeconfig.remove(name, path) for path in {kubeconfig.user_kubeconfig(), *self._kubeconfigs()}]
        return any(removed)

    def _kubeconfigs(self) -> list[Path]:
        found = self.content.get("kubeconfigs")
        return [Path(path) for path in found] if isinstance(found, list) else []


def _root(environment: Environment) -> str:
    return str(environment.root.resolve())
