"""Environments that exist, whether or not a definition still describes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from devloop.clients.private_files import folder_exists, read_json
from devloop.clients.xdg import state_folder
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners import PROVISIONERS, runs_here

OWNER = "owner.json"


class State(StrEnum):
    """LEFTOVERS: parts without a cluster, as after an interrupted `down`. UNKNOWN: its container engine does not respond."""

    RUNNING = "running"
    STOPPED = "stopped"
    LEFTOVERS = "leftovers"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FoundEnvironment:
    """`environment` and `root` (the owning repository) are '' where nothing records them; `ours`: this user's state folder has it."""

    cluster: str
    provisioner: str
    state: State = State.UNKNOWN
    environment: str = ""
    root: str = ""
    ours: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.cluster, self.provisioner

    @property
    def name(self) -> str:
        return self.environment or self.cluster

    @property
    def is_orphan(self) -> bool:
        """Whether its repository is unknown or no longer exists."""
        return not (self.root and folder_exists(Path(self.root)))

    def as_environment(self) -> Environment:
        """Enough of an environment to remove it."""
        return Environment(self.name, Path(self.root), ClusterDefinition(self.cluster, "", ""))


class Discovery(NamedTuple):
    """`note` says what could not be inspected, '' for nothing."""

    environments: tuple[FoundEnvironment, ...]
    note: str = ""


def records(provisioner: str) -> Iterator[FoundEnvironment]:
    """What the state folder says, sorted by cluster; quick, and silent about what runs."""
    before, _, after = PROVISIONERS[provisioner].state_dir.partition("{name}")
    for folder in _folders():
        cluster = folder.name.removeprefix(before).removesuffix(after)
        if folder.name == f"{before}{cluster}{after}" and "@" not in cluster:
            owner = read_json(folder / OWNER)
            root, environment = (_text(owner.get(field)) for field in ("root", "environment"))
            yield FoundEnvironment(cluster, provisioner, environment=environment, root=root)


def under_another_name(environment: Environment) -> tuple[FoundEnvironment, ...]:
    """Records of this environment whose cluster has another name than in the definition: it was renamed."""
    found = (record for name in PROVISIONERS if runs_here(name) for record in records(name))
    owner = (str(environment.root.resolve()), environment.name)
    return tuple(each for each in found if (each.root, each.environment) == owner and each.cluster != environment.definition.name)


def _folders() -> list[Path]:
    try:
        return sorted(path for path in state_folder().iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _text(value: object) -> str:
    """`value` if it is text: the file may be damaged."""
    return value if isinstance(value, str) else ""
