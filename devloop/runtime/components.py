"""Components of an embedded environment: their commands, and the environment variables they get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition

if TYPE_CHECKING:
    from devloop.runtime.layout import Layout

# Set in every process of an environment: identifies the orphans of a killed supervisor.
MARKER = "DEVLOOP_ENVIRONMENT_FOLDER"

# The user's variables that components get: paths of programs, and access to the internet (Flux fetches charts).
PASSED_ON = (
    "PATH",
    "PYTHONPATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    *(name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (upper, upper.lower())),
)

# A plain list returns at once; a watch-list waits up to a second for a bookmark (KEP-3157, a feature gate of k8s.io/client-go).
QUICK_LISTS = {"KUBE_FEATURE_WatchListClient": "false"}


class ToolPaths(Protocol):
    """Installed tools; implemented by `devloop.toolchain`."""

    def path(self, name: str) -> Path:
        """The program; raises DevloopError if it is not installed."""

    def version(self, name: str) -> str:
        """The pinned version, without a leading v."""


@dataclass(frozen=True)
class Component:
    """One process: `argv` must not contain secrets; `env` extends `environment_for`."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Component:
        """Raises KeyError or TypeError for invalid content."""
        return cls(str(content["name"]), tuple(map(str, content["argv"])), dict(content["env"]))


@dataclass(frozen=True)
class ComponentContext:
    """The inputs of the commands of one environment."""

    layout: Layout
    definition: ClusterDefinition
    tools: ToolPaths
    ports: Mapping[str, int]

    def address(self, port: str) -> str:
        return f"{LOOPBACK}:{self.ports[port]}"

    @property
    def api_server(self) -> str:
        return f"https://{self.address('kube-apiserver')}"

    def command(self, name: str, flags: Mapping[str, object], **env: str) -> Component:
        return Component(name, (str(self.tools.path(name)), *(f"--{key}={value}" for key, value in flags.items())), env)

    def client(self) -> dict[str, str]:
        """Environment variables of API clients: a changed address changes the component, hence restarts it."""
        return {"DEVLOOP_API_SERVER": self.api_server}


@dataclass(frozen=True)
class Program:
    """`probe` is a path on the component's port: a status below 500 means ready, '' skips it. `tls`: mutual TLS with our certificates."""

    command: Callable[[ComponentContext], Component]
    probe: str = ""
    tls: bool = False


def environment_for(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that all processes of `layout` get, from our own: none of the user's secrets."""
    home = str(layout.temporary)
    passed_on = {name: environ[name] for name in PASSED_ON if name in environ}
    return passed_on | QUICK_LISTS | {"HOME": home, "TMPDIR": home, MARKER: str(layout.folder)}
