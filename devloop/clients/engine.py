"""The door to the container engine: one connection; containers.py and images.py say what is done through it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.errors import DevloopError

if TYPE_CHECKING:
    import docker

# Building an image can be silent for a long time; that the engine answers at all is found out by a ping.
_TIMEOUT = 600
_PING = 3.0

SOCKET = "/var/run/docker.sock"
_PODMAN_SOCKETS = ("$XDG_RUNTIME_DIR/podman/podman.sock", "/run/podman/podman.sock")


@dataclass(frozen=True)
class Engine:
    """A container engine that answers at `address()`."""

    client: docker.DockerClient

    @cached_property
    def is_podman(self) -> bool:
        """Whether it is Podman, which answers in Docker's words."""
        with _explained():
            components = self.client.version().get("Components") or ()
        return any("podman" in str(component.get("Name", "")).lower() for component in components)

    @cached_property
    def identity(self) -> str:
        """Which engine it is, by whatever address it was reached: the machine and the folder of its storage."""
        with _explained():
            found = self.client.info()
        return f"{found.get('Name', '')}:{found.get('DockerRootDir', '')}"

    def close(self) -> None:
        self.client.close()


def named_address() -> str:
    """The engine that the user chose, as the docker program finds it: DOCKER_HOST, else its current context; '' for none."""
    return os.environ.get("DOCKER_HOST") or _of_context()


def address() -> str:
    """Where the engine is: the one that was chosen, Docker's socket, else Podman's where that is there."""
    places = [SOCKET, *map(os.path.expandvars, _PODMAN_SOCKETS)]
    return named_address() or next((f"unix://{place}" for place in places if Path(place).exists()), f"unix://{SOCKET}")


def answers() -> bool:
    """Whether an engine answers that this user may use; quick, without loading its library where it is on this machine."""
    place = address()
    if not place.startswith("unix://"):
        with contextlib.suppress(DevloopError):
            connect().close()
            return True
        return False
    with contextlib.closing(_UnixConnection(place.removeprefix("unix://"))) as connection:
        try:
            connection.request("GET", "/_ping")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def connect() -> Engine:
    """The engine that answers; DevloopError where there is none or it may not be used."""
    with _explained():
        return Engine(client(_TIMEOUT))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as error:
        raise refused(error) from None


def client(timeout: float) -> docker.DockerClient:
    """A connection to the engine at `address()`, for callers that judge its errors themselves; `timeout` in seconds for an answer."""
    import docker

    # With DOCKER_HOST come the variables that say how to trust it.
    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=round(timeout))
    return docker.DockerClient(base_url=address(), timeout=round(timeout))


def refused(error: Exception) -> DevloopError:
    """Why the engine cannot be used, as the user should read it."""
    if "permission denied" in str(error).lower():
        return DevloopError("this user may not use the container engine's socket", hint="sudo usermod -aG docker $USER && newgrp docker")
    return DevloopError(f"no container engine answers at {address()}", hint="sudo systemctl start docker, or use --provisioner embedded")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PING)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _of_context() -> str:
    """The address of the docker program's current context, '' where that is the default one."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
        name = os.environ.get("DOCKER_CONTEXT") or json.loads((folder / "config.json").read_text())["currentContext"]
        for meta in (folder / "contexts" / "meta").glob("*/meta.json"):
            content = json.loads(meta.read_text())
            if content["Name"] == name:
                return str(content["Endpoints"]["docker"]["Host"])
    return ""
