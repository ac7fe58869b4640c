"""What every component of an embedded environment has in common: the site it runs at, its command, what it sees of our environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devloop.clients.ports import LOOPBACK
from devloop.model.cluster.definition import ClusterDefinition
from devloop.runtime.layout import Layout

# Every process of an environment carries this variable: what remains of a killed supervisor can be found by it.
MARKER = "DEVLOOP_ENVIRONMENT_FOLDER"

# What a component may see of the user's environment: where programs are, and how to reach the internet (Flux fetches charts).
PASSED_ON = (
    "PATH",
    "PYTHONPATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    *(name for upper in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (upper, upper.lower())),
)

# A client that lists by watching waits for a bookmark, which the API server sends once a second; a plain list answers at once
# (KEP-3157, a feature gate of k8s.io/client-go).
QUICK_LISTS = {"KUBE_FEATURE_WatchListClient": "false"}


class ToolPaths(Protocol):
    """Where an installed tool is; `devloop.toolchain` gives it."""

    def path(self, name: str) -> Path:
        """The program; raises DevloopError when it is not installed."""

    def version(self, name: str) -> str:
        """The pinned version, without a leading v."""


@dataclass(frozen=True)
class Component:
    """One process: `argv` without secrets, `env` on top of the little that every component gets."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"argv": list(self.argv)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Component:
        """Raises KeyError or TypeError for what is none."""
        return cls(str(content["name"]), tuple(map(str, content["argv"])), dict(content["env"]))


@dataclass(frozen=True)
class ComponentContext:
    """All that the commands of one environment are made from."""

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
        """For the environment of whoever talks to the API server: one that has moved makes its command another, hence restarts it."""
        return {"DEVLOOP_API_SERVER": self.api_server}


@dataclass(frozen=True)
class Program:
    """How a component is started, and the path on its port that says when it is ready: any status below 500 does. '' is not asked.

    `tls`: it serves with a certificate of the environment and asks for one.
    """

    command: Callable[[ComponentContext], Component]
    probe: str = ""
    tls: bool = False


def environment_for(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that all processes of `layout` get, out of our own: nothing of the user's secrets."""
    home = str(layout.temporary)
    passed_on = {name: environ[name] for name in PASSED_ON if name in environ}
    return passed_on | QUICK_LISTS | {"HOME": home, "TMPDIR": home, MARKER: str(layout.folder)}
