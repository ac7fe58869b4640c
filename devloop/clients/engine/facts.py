"""Facts about the container engine for `doctor`, or why it does not answer. Fast; never raises for a missing engine."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.clients import engine
from devloop.clients.background import in_background
from devloop.clients.kind import LABEL
from devloop.model.doctor.engine import EngineFacts, NoEngine, Trouble

if TYPE_CHECKING:
    import docker

_LOCAL = ("unix://", "http+unix://", "tcp://127.", "tcp://localhost")


def read_engine_facts(timeout: float) -> EngineFacts | NoEngine:
    """The facts of the engine that `up` would use, within `timeout` seconds in total."""
    try:
        return in_background(lambda: _ask(timeout + 1), "engine").result(timeout)
    except TimeoutError:
        return _silent(f"no answer within {timeout:.0f} s")


def _silent(reason: str) -> NoEngine:
    return NoEngine(Trouble.SILENT, _shown(engine.address()), bool(engine.named_address()), reason)


def _ask(timeout: float) -> EngineFacts | NoEngine:
    """`timeout` in seconds for each answer must be longer than the one of the caller, which therefore reports it."""
    chosen, address = bool(engine.named_address()), engine.address()
    if not chosen and not Path(address.removeprefix("unix://")).exists():
        return NoEngine(Trouble.ABSENT, _shown(address))
    from docker.errors import DockerException

    try:
        with contextlib.closing(engine.client(timeout)) as client:
            return _facts(client, address)
    except (DockerException, OSError, ValueError) as error:
        if "permission denied" in str(error).lower():
            return NoEngine(Trouble.FORBIDDEN, _shown(address), chosen)
        return _silent(_reason(error))


def _facts(client: docker.DockerClient, address: str) -> EngineFacts:
    info = client.info()
    return EngineFacts(
        product=_product(client),
        version=info.get("ServerVersion", ""),
        address=_shown(address),
        storage=info.get("Driver", ""),
        runtime=info.get("DefaultRuntime", ""),
        root=info.get("DockerRootDir", ""),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        local=address.startswith(_LOCAL),
        time=_seconds(info.get("SystemTime", "")),
        published=tuple(_published(client)),
    )


def _product(client: docker.DockerClient) -> str:
    """Podman answers a ping with an extra header; a ping is faster than a request for versions."""
    answer = client.api.get(f"{client.api.base_url}/_ping")
    return "Podman" if "Libpod-API-Version" in answer.headers else "Docker"


def _published(client: docker.DockerClient) -> set[tuple[int, str]]:
    nodes = client.api.containers(filters={"label": LABEL})
    return {(port["PublicPort"], node["Labels"][LABEL]) for node in nodes for port in node.get("Ports") or () if port.get("PublicPort")}


def _seconds(text: str) -> float:
    """The Unix time, 0 if `text` is invalid."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text).timestamp()
    return 0.0


def _shown(address: str) -> str:
    return address.removeprefix("unix://").rpartition("@")[2]


def _reason(error: Exception) -> str:
    """The operating system's error if there is one, for example 'connection refused'."""
    cause: BaseException | None = error
    while cause:
        found = next((item for item in (cause, *cause.args) if isinstance(item, OSError) and item.strerror), None)
        if found:
            return str(found.strerror).lower()
        cause = cause.__cause__ or cause.__context__
    return ""
