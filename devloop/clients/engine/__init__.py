"""The connection to the container engine, Docker or Podman; see containers.py and images.py for its use.

Simple requests use the HTTP API directly (https://docs.docker.com/reference/api/engine/), since importing the library takes longer than a
dozen of them. Streams and everything that creates objects use the library.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import socket
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from devloop.errors import DevloopError
from devloop.hint import Hint, instructions, shell
from devloop.model.doctor.engine import start_hint

if TYPE_CHECKING:
    import docker

# The build of an image can be silent for a long time; a ping shows whether the engine answers at all.
_TIMEOUT = 600
_PING = 3.0
_REACHED = 15.0  # of an engine that must be there, on a busy machine

_UNIX = "unix://"
SOCKET = "/var/run/docker.sock"
_PODMAN_SOCKETS = ("$XDG_RUNTIME_DIR/podman/podman.sock", "/run/podman/podman.sock")


class Refused(Exception):
    """The engine's answer is an error, with its own message."""


class NoSuchObject(Refused):
    """There is no object of that name."""


@dataclass(frozen=True)
class Engine:
    """A container engine at an address, with `timeout` in seconds for each answer; thread-safe."""

    address: str
    timeout: float = _TIMEOUT

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The JSON answer, None if it is empty or text. Raises Refused, or OSError or HTTPException without an answer."""
        if query:
            path += f"?{urlencode(query)}"
        status, content = self._answer(method, path, body)
        try:
            answer = json.loads(content) if content[:1] in (b"{", b"[") else None
        except ValueError:
            raise http.client.HTTPException("its answer is not valid JSON") from None
        if status >= http.client.BAD_REQUEST:
            reason = answer.get("message") if isinstance(answer, dict) else None
            raise (NoSuchObject if status == http.client.NOT_FOUND else Refused)(reason or f"status {status}")
        return answer

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        if not self.address.startswith(_UNIX):
            api = self.client.api
            response = api.request(method, api.base_url + path, json=body, timeout=self.timeout)
            return response.status_code, response.content
        with contextlib.closing(_UnixConnection(self.address.removeprefix(_UNIX), self.timeout)) as connection:
            content, kind = (None, {}) if body is None else (json.dumps(body), {"Content-Type": "application/json"})
            connection.request(method, path, content, kind)
            answer = connection.getresponse()
            return answer.status, answer.read()

    @cached_property
    def client(self) -> docker.DockerClient:
        """The library's client; DevloopError if the engine does not answer."""
        with _explained(self.address), library():
            return client(self.timeout)

    @cached_property
    def is_podman(self) -> bool:
        with _explained(self.address):
            components = self.ask("GET", "/version").get("Components") or ()
        return any("podman" in str(component.get("Name", "")).lower() for component in components)

    @cached_property
    def identity(self) -> str:
        """Identifies the engine independently of its address, by machine and storage folder."""
        with _explained(self.address):
            found = self.ask("GET", "/info")
        return f"{found.get('Name', '')}:{found.get('DockerRootDir', '')}"

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


def quoted(name: str) -> str:
    """The name of a container, an image or a volume as part of a path."""
    return quote(name, safe="/:@")


def filters(**wanted: str) -> str:
    """The parameter `filters` of a list request."""
    return json.dumps({key: [value] for key, value in wanted.items()})


def tar_archive(files: Mapping[str, bytes]) -> bytes:
    """A tar of files (path -> content) that every user may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o444
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def named_address() -> str:
    """The address that the user chose for the docker CLI: DOCKER_HOST, else its current context; '' for none."""
    return os.environ.get("DOCKER_HOST") or _of_context()


def address() -> str:
    """The address that the user chose, else Docker's socket, else Podman's if it exists."""
    places = [SOCKET, *map(os.path.expandvars, _PODMAN_SOCKETS)]
    return named_address() or next((f"unix://{place}" for place in places if Path(place).exists()), f"unix://{SOCKET}")


def answers() -> bool:
    """Whether an engine answers that this user may use; fast, without importing the library for a local engine."""
    with contextlib.suppress(DevloopError):
        _reached(Engine(address(), _PING)).close()
        return True
    return False


def connect() -> Engine:
    """The engine; raises DevloopError if none answers or this user may not use it."""
    engine = Engine(address())
    # A remote engine is asked by the library, which keeps its connection.
    _reached(Engine(engine.address, _REACHED) if engine.address.startswith(_UNIX) else engine)
    return engine


def _reached(engine: Engine) -> Engine:
    with _explained(engine.address):
        engine.ask("GET", "/_ping")
    return engine


@contextlib.contextmanager
def _explained(place: str) -> Iterator[None]:
    """Turn errors of the connection into DevloopErrors."""
    try:
        yield
    except (Refused, OSError, http.client.HTTPException) as error:
        if "permission denied" in str(error).lower():
            hint: Hint = shell("sudo usermod -aG docker $USER && newgrp docker")
            raise DevloopError("this user may not use the container engine's socket", hint=hint) from None
        linux = sys.platform == "linux"
        hint = instructions(start_hint(place, linux=linux), ", or use --provisioner embedded" if linux else "")
        raise DevloopError(f"no container engine responds at {place}", hint=hint) from None


@contextlib.contextmanager
def library() -> Iterator[None]:
    """Turn the library's errors into those of `Engine.ask`."""
    from docker.errors import APIError, DockerException, NotFound

    try:
        yield
    except APIError as error:
        reason = " ".join(str(error.explanation or error).split())
        raise (NoSuchObject if isinstance(error, NotFound) else Refused)(reason) from None
    except DockerException as error:
        raise OSError(str(error)) from None


def client(timeout: float) -> docker.DockerClient:
    """The library's client for `address()`, which raises the library's errors; `timeout` in seconds for an answer."""
    import docker

    # DOCKER_HOST comes with variables for TLS.
    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=round(timeout))
    return docker.DockerClient(base_url=address(), timeout=round(timeout))


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _of_context() -> str:
    """The address of the docker CLI's current context, '' for the default one."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
        name = os.environ.get("DOCKER_CONTEXT") or json.loads((folder / "config.json").read_text())["currentContext"]
        for meta in (folder / "contexts" / "meta").glob("*/meta.json"):
            content = json.loads(meta.read_text())
            if content["Name"] == name:
                return str(content["Endpoints"]["docker"]["Host"])
    return ""
