"""The door to the container engine: one connection; containers.py and images.py say what is done through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.errors import DevloopError

if TYPE_CHECKING:
    import docker

# Building an image can be silent for a long time; that the engine answers at all is found out by a ping.
_TIMEOUT = 600


@dataclass(frozen=True)
class Engine:
    """A container engine that answers, through the environment's DOCKER_HOST or its default socket."""

    client: docker.DockerClient

    def close(self) -> None:
        self.client.close()


def connect() -> Engine:
    """The engine that answers; DevloopError where there is none or it may not be used."""
    import docker
    from docker.errors import DockerException

    try:
        return Engine(docker.from_env(timeout=_TIMEOUT))
    except (DockerException, OSError) as error:
        raise refused(error) from None


def refused(error: Exception) -> DevloopError:
    """Why the engine cannot be used, as the user should read it."""
    if "permission denied" in str(error).lower():
        return DevloopError("this user may not use the container engine's socket", hint="sudo usermod -aG docker $USER && newgrp docker")
    return DevloopError("no container engine answers", hint="sudo systemctl start docker, or use the option --provisioner embedded")
