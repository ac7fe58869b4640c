"""Containers, volumes and networks of the container engine, in the terms of Docker's API (https://docs.docker.com/reference/api/engine/)."""

import contextlib
import http.client
import io
import socket
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devloop.clients.engine import Engine, NoSuchObject, Refused, filters, library, quoted, tar_archive
from devloop.clients.ports import LOOPBACK
from devloop.errors import DevloopError
from devloop.hint import Hint, command

TAIL = 8  # lines of a container's log to show


@dataclass(frozen=True)
class Container:
    """One container.

    `state` is created, running, paused, restarting, exited or dead; `health` is '' (has none), starting, healthy or unhealthy; `networks`
    are name -> IPv4 address, `ports` container port/protocol ('6443/tcp') -> host port, `volumes` the names of mounted volumes.
    """

    name: str
    state: str
    id: str = ""
    health: str = ""
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.state == "running"

    @property
    def is_paused(self) -> bool:
        return self.state == "paused"


@dataclass(frozen=True)
class Volume:
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerSpec:
    """A container to create. `ports` are published on free loopback ports; `volumes`: name -> path in the container.

    It must hold no secrets: `docker inspect` shows all of it.
    """

    name: str
    image: str
    network: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)


class Containers:
    """The containers, volumes and networks of one engine; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, name: str) -> Container | None:
        with _explained("looking at", name), contextlib.suppress(NoSuchObject):
            return _container(self._engine.ask("GET", f"/containers/{quoted(name)}/json"))
        return None

    def labelled(self, label: str) -> tuple[Container, ...]:
        """All containers, running or not, with `label` (key or key=value), sorted by name."""
        with _explained("looking for", label):
            found = self._engine.ask("GET", "/containers/json", all="1", filters=filters(label=label))
        names = sorted(item["Names"][0].removeprefix("/") for item in found if item.get("Names"))
        return tuple(container for name in names if (container := self.find(name)))

    def run(self, wanted: ContainerSpec, files: Mapping[str, bytes]) -> None:
        """Create and start the container with `files` (path -> content)."""
        with _explained("starting", wanted.name), library():
            api = self._engine.client.api
            host = api.create_host_config(
                port_bindings=dict.fromkeys(wanted.ports, (LOOPBACK, None)),
                binds={name: {"bind": path, "mode": "rw"} for name, path in wanted.volumes.items()},
                restart_policy={"Name": "unless-stopped"},
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                network_mode=wanted.network,
                init=True,
            )
            created = api.create_container(
                wanted.image, name=wanted.name, labels=dict(wanted.labels), ports=list(wanted.ports), host_config=host, detach=True
            )
            api.put_archive(created["Id"], "/", tar_archive(files))
            api.start(created["Id"])

    def start(self, container: Container) -> None:
        """Start or unpause it."""
        verb = "unpause" if container.is_paused else "start"
        with _explained("starting", container.name):
            self._engine.ask("POST", f"/containers/{quoted(container.name)}/{verb}")

    def pause(self, name: str) -> None:
        """Freeze its processes: they keep their memory and get no CPU."""
        with _explained("pausing", name):
            self._engine.ask("POST", f"/containers/{quoted(name)}/pause")

    def remove(self, name: str) -> bool:
        """Kill and remove it with its anonymous volumes; False if it does not exist."""
        with _explained("removing", name), contextlib.suppress(NoSuchObject):
            self._engine.ask("DELETE", f"/containers/{quoted(name)}", force="1", v="1")
            return True
        return False

    def read(self, name: str, path: str) -> bytes | None:
        """The content of a file in the container; None if the file or the container does not exist."""
        with _explained("reading from", name), contextlib.suppress(NoSuchObject), library():
            stream, _ = self._engine.client.api.get_archive(name, path)
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                member = archive.extractfile(archive.getmembers()[0])
                return member.read() if member else None
        return None

    def execute(self, name: str, argv: Sequence[str]) -> tuple[int, str]:
        """Run a command in the container; its exit code and output."""
        with _explained(f"running {argv[0]} in", name), library():
            api = self._engine.client.api
            created = api.exec_create(name, list(argv))
            output: bytes = api.exec_start(created["Id"])
            status = api.exec_inspect(created["Id"])["ExitCode"]
        return int(status or 0), output.decode(errors="replace").strip()

    def feed(self, name: str, argv: Sequence[str], parts: Iterator[bytes]) -> tuple[int, str]:
        """Run a command in the container with `parts` as its standard input; its exit code and output."""
        from docker.utils.socket import consume_socket_output, demux_adaptor, frames_iter

        with _explained(f"running {argv[0]} in", name), library():
            api = self._engine.client.api
            created = api.exec_create(name, list(argv), stdin=True)
            channel = api.exec_start(created["Id"], socket=True)
            raw = getattr(channel, "_sock", channel)
            _send(raw, parts)
            out = err = b""
            # A program that exits without reading all of its input resets the connection, and its output is lost.
            with contextlib.suppress(ConnectionResetError):
                frames = (demux_adaptor(*frame) for frame in frames_iter(channel, tty=False))
                out, err = consume_socket_output(frames, demux=True)
            channel.close()
            status = api.exec_inspect(created["Id"])["ExitCode"]
        return int(status or 0), ((out or b"") + (err or b"")).decode(errors="replace").strip()

    def tail(self, name: str, lines: int = TAIL) -> str:
        """The last lines of its log, '' if there are none."""
        with _explained("reading the log of", name), contextlib.suppress(NoSuchObject), library():
            return str(self._engine.client.api.logs(name, tail=lines).decode(errors="replace").strip())
        return ""

    def memory(self, name: str) -> int:
        """Resident bytes, 0 if unknown."""
        with contextlib.suppress(DevloopError), _explained("measuring", name):
            stats: Mapping[str, Any] = self._engine.ask("GET", f"/containers/{quoted(name)}/stats", **{"stream": "0", "one-shot": "1"})
            usage = stats.get("memory_stats") or {}
            details = usage.get("stats") or {}
            inactive = details.get("total_inactive_file") or details.get("inactive_file") or 0
            return max(0, int(usage.get("usage") or 0) - int(inactive))
        return 0

    def has_network(self, name: str) -> bool:
        with _explained("looking at the network", name):
            return any(item["Name"] == name for item in self._engine.ask("GET", "/networks", filters=filters(name=name)))

    def join(self, name: str, network: str) -> None:
        """Connect the container to a network."""
        with _explained("connecting", name):
            self._engine.ask("POST", f"/networks/{quoted(network)}/connect", {"Container": name})

    def volume(self, name: str) -> Volume | None:
        with _explained("looking at the volume", name), contextlib.suppress(NoSuchObject):
            found = self._engine.ask("GET", f"/volumes/{quoted(name)}")
            return Volume(found["Name"], found.get("Labels") or {})
        return None

    def volumes(self, label: str) -> tuple[str, ...]:
        """The names of the volumes with `label` (key=value)."""
        with _explained("looking for volumes with", label):
            found = self._engine.ask("GET", "/volumes", filters=filters(label=label))["Volumes"]
        return tuple(item["Name"] for item in found or ())

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume unless it exists."""
        with _explained("creating the volume", name):
            self._engine.ask("POST", "/volumes/create", {"Name": name, "Labels": dict(labels)})

    def remove_volume(self, name: str) -> bool:
        with _explained("removing the volume", name), contextlib.suppress(NoSuchObject):
            self._engine.ask("DELETE", f"/volumes/{quoted(name)}", force="1")
            return True
        return False


def _container(found: Mapping[str, Any]) -> Container:
    state, settings, config = found["State"], found.get("NetworkSettings") or {}, found.get("Config") or {}
    published = {port: bindings[0]["HostPort"] for port, bindings in (settings.get("Ports") or {}).items() if bindings}
    return Container(
        name=found["Name"].removeprefix("/"),
        state=state["Status"],
        id=found["Id"],
        health=(state.get("Health") or {}).get("Status", ""),
        image=found.get("Image", ""),
        labels=config.get("Labels") or {},
        networks={name: network.get("IPAddress", "") for name, network in (settings.get("Networks") or {}).items()},
        ports={port: int(number) for port, number in published.items() if number},
        volumes=tuple(mount["Name"] for mount in found.get("Mounts") or () if mount.get("Type") == "volume" and mount.get("Name")),
    )


def _send(raw: Any, parts: Iterator[bytes]) -> None:
    """All parts, then the end of input; the exit code tells about programs that exit early."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for part in parts:
            raw.sendall(part)
        raw.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _explained(doing: str, what: str) -> Iterator[None]:
    """Turn errors of the engine into DevloopErrors."""
    try:
        yield
    except Refused as error:
        raise DevloopError(f"{doing} {what}: {error}", hint=_hint(str(error))) from None
    except (OSError, http.client.HTTPException) as error:
        message = f"the container engine gave no answer while {doing} {what} ({type(error).__name__})"
        raise DevloopError(message, hint="check that it is running (docker info), then run the same command again") from None


def _hint(text: str) -> Hint:
    if "no space left" in text.lower():
        return "free some space: docker system df, docker system prune"
    if "port is already allocated" in text.lower() or "address already in use" in text.lower():
        return "stop the program that listens there, or choose another host port in kind.yaml"
    return command("docker ps --all")
