"""Checks the container engine, for the provisioner that would use it."""

from dataclasses import dataclass
from enum import StrEnum

from devloop.hint import Command, Hint, command, instructions, shell
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.doctor.machine import version

# The first version with private cgroup namespaces, which Kind's nodes need.
_OLDEST_DOCKER = (20, 10)


@dataclass(frozen=True)
class EngineFacts:
    """An engine that responds. `time` is its clock's, in seconds since 1970; `published` are host ports and the Kind cluster of each."""

    product: str
    version: str
    address: str
    storage: str = ""
    runtime: str = ""
    root: str = ""
    rootless: bool = False
    local: bool = True
    time: float = 0.0
    published: tuple[tuple[int, str], ...] = ()


class Trouble(StrEnum):
    ABSENT = "absent"
    FORBIDDEN = "forbidden"
    SILENT = "silent"


@dataclass(frozen=True)
class NoEngine:
    """`address` is the one that was tried; `chosen`: by the user; `detail` is the error."""

    trouble: Trouble
    address: str
    chosen: bool = False
    detail: str = ""


def judge_engine(engine: EngineFacts | NoEngine, provisioner: str, *, needed: bool | None, linux: bool = True) -> Diagnosis:
    """`needed` by `provisioner`; None: that one is used if there is no engine, '' for none. `linux`: this machine runs it."""
    if isinstance(engine, NoEngine):
        return _without(engine, provisioner, needed, linux=linux)
    details = f"{engine.product} {engine.version}, {engine.storage}, {engine.runtime}" + (", rootless" if engine.rootless else "")
    if engine.product == "Docker" and (0, 0) < version(engine.version) < _OLDEST_DOCKER:
        return failed("engine", f"{details}; Kind requires 20.10 or newer", "https://docs.docker.com/engine/install/")
    if engine.storage == "vfs":
        hint = "move /var/lib/docker to ext4 or xfs, then sudo systemctl restart docker"
        return warning("engine", f"{details}; the vfs storage driver copies every layer: slow, and gigabytes per node", hint)
    return ok("engine", f"{details}, at {engine.address}")


def _without(engine: NoEngine, provisioner: str, needed: bool | None, *, linux: bool) -> Diagnosis:
    message, hint = _trouble(engine, linux=linux)
    if needed is False:
        return ok("engine", f"{message}; the {provisioner} provisioner does not need one")
    if needed:
        return failed("engine", message, hint)
    if not provisioner:
        return failed("engine", f"{message}; without an engine, `up` requires Linux", hint)
    message += f"; `up` uses the {provisioner} provisioner"
    return warning("engine", message, hint) if engine.trouble is Trouble.ABSENT else failed("engine", message, hint)


def _trouble(engine: NoEngine, *, linux: bool) -> tuple[str, Hint]:
    start = start_hint(engine.address, linux=linux)
    if engine.trouble is Trouble.ABSENT:
        return f"not found at {engine.address}", command("sudo apt-get install docker.io") if linux else start
    if engine.trouble is Trouble.FORBIDDEN:
        return f"this user has no access to {engine.address}", shell("sudo usermod -aG docker $USER && newgrp docker") if linux else start
    message = f"no response from {engine.address}" + (f" ({engine.detail})" if engine.detail else "")
    if engine.chosen:
        return message, instructions(shell("unset DOCKER_HOST"), ", or ", command("docker context use default"))
    return message, start


def start_hint(address: str, *, linux: bool) -> str | Command:
    """How to start the engine at `address`; systems other than Linux run one in a virtual machine."""
    if not linux:
        return "start Docker Desktop, Colima or a Podman machine"
    return command("sudo systemctl start", "podman.socket" if address.endswith("podman.sock") else "docker")
