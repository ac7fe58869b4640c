"""An environment of the repository (local, dev, prod) and a snapshot of its source. Never contains a key."""

import posixpath
from dataclasses import dataclass, field
from pathlib import Path

from devloop.model.cluster.definition import ClusterDefinition


@dataclass(frozen=True)
class Environment:
    """`root` is the absolute path of the repository, `name` the command's argument."""

    name: str
    root: Path
    definition: ClusterDefinition

    @property
    def entry_path(self) -> str:
        """The entry overlay, relative to the repository root, without a leading './'."""
        return posixpath.normpath(posixpath.join(self.definition.source_directory, self.definition.entry_path))


@dataclass(frozen=True)
class NamedEnvironment:
    """What devloop.yaml says of an environment, '' where it says nothing: the folder that Flux enters, the KSail definition, the folder
    that paths count from, and the version of Kubernetes. `line` is that of devloop.yaml."""

    path: str = ""
    definition: str = ""
    source: str = "."
    kubernetes_version: str = ""
    line: int = 0


@dataclass(frozen=True)
class Source:
    """A snapshot of the working tree: `commit` and `tree` are object ids, `directory` the folder that became the root ('.' for all).

    `is_built` says whether the environment's graph was built from the same files.
    """

    commit: str
    tree: str
    directory: str = "."
    branch: str = "main"
    is_built: bool = field(default=False, compare=False)

    @property
    def revision(self) -> str:
        """In Flux's format: main@sha1:<commit>."""
        return f"{self.branch}@sha1:{self.commit}"
