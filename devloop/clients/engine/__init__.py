"""The door to the container engine; containers.py and images.py say what is done through it.

Plain questions go straight to its API (https://docs.docker.com/reference/api/engine/), which Podman speaks as well: loading the library for
it takes longer than a dozen of them. Whatever streams, or makes something, takes the library.
"""

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
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from devloop.errors import DevloopError
from devloop.hint import Hint, command, instructions, shell

if TYPE_CHECKING:
    import docker

# Building an image can be silent for a long time; that the engine answers at all is found out by a ping.
_TIMEOUT = 600
_PING = 3.0

_UNIX = "unix://"
SOCKET = "/var/run/docker.sock"
_PODMAN_SOCKETS = ("$XDG_RUNTIME_DIR/podman/podman.sock", "/run/podman/podman.sock")


class Refused(Exception):
    """The engine answers that it will not; its own words."""


class NoSuchObject(Refused):
    """It knows nothing of that name."""


@dataclass(frozen=True)
class Engine:
    """A container engine at an address, `timeout` in seconds for each of its answers; safe to use from several threads."""

    address: str
    timeout: float = _TIMEOUT

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The JSON of its answer, None where that is none. Raises Refused, or OSError or HTTPException where it does not answer at all."""
        if query:
            path += f"?{urlencode(query)}"
        status, content = self._answer(method, path, body)
        try:
            answer = json.loads(content) if content[:1] in (b"{", b"[") else None
        except ValueError:
            raise http.client.HTTPException("its answer is no JSON") from None
        if status >= http.client.BAD_REQUEST:
            reason = answer.get("message") if isinstance(answer, dict) else None
            raise (NoSuchObject if status == http.client.NOT_FOUND else Refused)(reason or f"status {status}")
        return answer

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        if not self.address.startswith(_UNIX):
            api = self.client.api
            said = api.request(method, api.base_url + path, json=body, timeout=self.timeout)
            return said.status_code, said.content
        with contextlib.closing(_UnixConnection(self.address.removeprefix(_UNIX), self.timeout)) as connection:
            content, kind = (None, {}) if body is None else (json.dumps(body), {"Content-Type": "application/json"})
            connection.request(method, path, content, kind)
            answer = connection.getresponse()
            return answer.status, answer.read()

    @cached_property
    def client(self) -> docker.DockerClient:
        """Its library; DevloopError where the engine does not answer."""
        with _explained(self.address), library():
            return client(self.timeout)

    @cached_property
    def is_podman(self) -> bool:
        """Whether it is Podman, which answers in Docker's words."""
        with _explained(self.address):
            components = self.ask("GET", "/version").get("Components") or ()
        return any("podman" in str(component.get("Name", "")).lower() for component in components)

    @cached_property
    def identity(self) -> str:
        """Which engine it is, by whatever address it was reached: the machine and the folder of its storage."""
        with _explained(self.address):
            found = self.ask("GET", "/info")
        return f"{found.get('Name', '')}:{found.get('DockerRootDir', '')}"

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


def quoted(name: str) -> str:
    """The name of a container, an image or a volume as a part of a path."""
    return quote(name, safe="/:@")


def filters(**wanted: str) -> str:
    """The argument `filters` of a list: what things must have."""
    return json.dumps({key: [value] for key, value in wanted.items()})


def named_address() -> str:
    """The engine that the user chose, as the docker program finds it: DOCKER_HOST, else its current context; '' for none."""
    return os.environ.get("DOCKER_HOST") or _of_context()


def address() -> str:
    """Where the engine is: the one that was chosen, Docker's socket, else Podman's where that is there."""
    places = [SOCKET, *map(os.path.expandvars, _PODMAN_SOCKETS)]
    return named_address() or next((f"unix://{place}" for place in places if Path(place).exists()), f"unix://{SOCKET}")


def answers() -> bool:
    """Whether an engine answers that this user may use; quick, without loading its library where it is on this machine."""
    with contextlib.suppress(DevloopError):
        _reached(Engine(address(), _PING)).close()
        return True
    return False


def connect() -> Engine:
    """The engine that answers; DevloopError where there is none or it may not be used."""
    return _reached(Engine(address()))


def _reached(engine: Engine) -> Engine:
    with _explained(engine.address):
        engine.ask("GET", "/_ping")
    return engine


@contextlib.contextmanager
def _explained(place: str) -> Iterator[None]:
    """Why the engine cannot be used, as the user should read it."""
    try:
        yield
    except (Refused, OSError, http.client.HTTPException) as error:
        if "permission denied" in str(error).lower():
            hint: Hint = shell("sudo usermod -aG docker $USER && newgrp docker")
            raise DevloopError("this user may not use the container engine's socket", hint=hint) from None
        hint = instructions(command("sudo systemctl start docker"), ", or use --provisioner embedded")
        raise DevloopError(f"no container engine answers at {place}", hint=hint) from None


@contextlib.contextmanager
def library() -> Iterator[None]:
    """What the engine's library raises, as `Engine.ask` would raise it."""
    from docker.errors import APIError, DockerException, NotFound

    try:
        yield
    except APIError as error:
        reason = " ".join(str(error.explanation or error).split())
        raise (NoSuchObject if isinstance(error, NotFound) else Refused)(reason) from None
    except DockerException as error:
        raise OSError(str(error)) from None


def client(timeout: float) -> docker.DockerClient:
    """A connection to the engine at `address()`, for callers that judge its errors themselves; `timeout` in seconds for an answer."""
    import docker

    # With DOCKER_HOST come the variables that say how to trust it.
    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=round(timeout))
    return docker.DockerClient(base_url=address(), timeout=round(timeout))


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
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
