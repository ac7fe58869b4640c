"""The container engine: what answers, or why nothing does, and what follows for the provisioners."""

from dataclasses import dataclass
from enum import StrEnum

from devloop.hint import Hint, command, instructions, shell
from devloop.model.doctor.diagnosis import Diagnosis, failed, ok, warning
from devloop.model.doctor.machine import version

# The first with private control group namespaces, which Kind's nodes run in.
OLDEST_DOCKER = (20, 10)
# Copies whole layers: every node takes gigabytes and minutes.
COPYING = "vfs"


@dataclass(frozen=True)
class EngineFacts:
    """An engine that answers. `time` is its clock's, in seconds since 1970; `published`: host ports and the Kind cluster that has each."""

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
    """Why no engine can be used."""

    ABSENT = "absent"
    FORBIDDEN = "forbidden"
    SILENT = "silent"


@dataclass(frozen=True)
class NoEngine:
    """`address` is where one was looked for; `chosen`: the user named it; `detail` in words."""

    trouble: Trouble
    address: str
    chosen: bool = False
    detail: str = ""


def judge_engine(engine: EngineFacts | NoEngine, provisioner: str, *, needed: bool | None) -> Diagnosis:
    """`needed` by `provisioner`; None: that one is taken where there is no engine. What is there should work."""
    if isinstance(engine, NoEngine):
        return _without(engine, provisioner, needed)
    said = f"{engine.product} {engine.version}, {engine.storage}, {engine.runtime}" + (", rootless" if engine.rootless else "")
    if engine.product == "Docker" and (0, 0) < version(engine.version) < OLDEST_DOCKER:
        return failed("engine", f"{said}; Kind needs 20.10 or newer", "https://docs.docker.com/engine/install/")
    if engine.storage == COPYING:
        return warning("engine", f"{said}; the storage driver vfs copies every layer: slow, and gigabytes for each node", _OVERLAY)
    return ok("engine", f"{said}, at {engine.address}")


_OVERLAY = "put /var/lib/docker on ext4 or xfs, then sudo systemctl restart docker"


def _without(engine: NoEngine, provisioner: str, needed: bool | None) -> Diagnosis:
    message, hint = _told(engine)
    if needed is False:
        return ok("engine", f"{message}; the {provisioner} provisioner needs none")
    if needed:
        return failed("engine", message, hint)
    message += f"; `up` takes the {provisioner} provisioner"
    return warning("engine", message, hint) if engine.trouble is Trouble.ABSENT else failed("engine", message, hint)


def _told(engine: NoEngine) -> tuple[str, Hint]:
    if engine.trouble is Trouble.ABSENT:
        return f"none at {engine.address}", command("sudo apt-get install docker.io")
    if engine.trouble is Trouble.FORBIDDEN:
        return f"this user may not use {engine.address}", shell("sudo usermod -aG docker $USER && newgrp docker")
    said = f"nobody answers at {engine.address}" + (f" ({engine.detail})" if engine.detail else "")
    if engine.chosen:
        return said, instructions(shell("unset DOCKER_HOST"), ", or ", command("docker context use default"))
    return said, command("sudo systemctl start", "podman.socket" if engine.address.endswith("podman.sock") else "docker")
