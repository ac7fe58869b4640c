"""The container engine as the doctor sees it: what answers, or why nothing does. Quick, and an engine that is not there raises nothing."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from devloop.model.doctor.engine import EngineFacts, NoEngine, Trouble

if TYPE_CHECKING:
    import docker

SOCKET = "unix:///var/run/docker.sock"
# Kind writes it on every node, https://pkg.go.dev/sigs.k8s.io/kind/pkg/cluster/constants.
CLUSTER_LABEL = "io.x-k8s.kind.cluster"
LOOPBACK = ("unix://", "http+unix://", "tcp://127.", "tcp://localhost")


def look(timeout: float) -> EngineFacts | NoEngine:
    """Ask the engine of DOCKER_HOST or of the default socket; in all that may take `timeout` seconds, however often it hesitates."""
    answer: Future[EngineFacts | NoEngine] = Future()
    threading.Thread(target=_answer, args=(answer, timeout), name="engine", daemon=True).start()
    try:
        return answer.result(timeout)
    except TimeoutError:
        return _silent(f"no answer within {timeout:.0f} s")


def _answer(answer: Future[EngineFacts | NoEngine], timeout: float) -> None:
    try:
        answer.set_result(_ask(timeout))
    except Exception as error:  # noqa: BLE001 (whoever waits for the answer gets it)
        answer.set_exception(error)


def _address() -> str:
    return os.environ.get("DOCKER_HOST") or SOCKET


def _silent(reason: str) -> NoEngine:
    return NoEngine(Trouble.SILENT, _shown(_address()), bool(os.environ.get("DOCKER_HOST")), _podman(), reason)


def _ask(timeout: float) -> EngineFacts | NoEngine:
    chosen, address = os.environ.get("DOCKER_HOST", ""), _address()
    if not chosen and not Path(address.removeprefix("unix://")).exists():
        return NoEngine(Trouble.ABSENT, _shown(address), podman=_podman())
    import docker
    from docker.errors import DockerException

    try:
        with contextlib.closing(docker.from_env(timeout=max(1, round(timeout)))) as client:
            return _facts(client, address)
    except (DockerException, OSError, ValueError) as error:
        if "permission denied" in str(error).lower():
            return NoEngine(Trouble.FORBIDDEN, _shown(address), bool(chosen))
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
        local=address.startswith(LOOPBACK),
        time=_seconds(info.get("SystemTime", "")),
        published=tuple(_published(client)),
    )


def _product(client: docker.DockerClient) -> str:
    """A ping is answered at once, unlike the question for versions; Podman's answer has a header of its own."""
    answer = client.api.get(f"{client.api.base_url}/_ping")
    return "Podman" if "Libpod-API-Version" in answer.headers else "Docker"


def _published(client: docker.DockerClient) -> set[tuple[int, str]]:
    nodes = client.api.containers(filters={"label": CLUSTER_LABEL})
    return {
        (port["PublicPort"], node["Labels"][CLUSTER_LABEL]) for node in nodes for port in node.get("Ports") or () if port.get("PublicPort")
    }


def _seconds(text: str) -> float:
    """Since 1970; 0 for a time that cannot be read."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text).timestamp()
    return 0.0


def _podman() -> str:
    """The socket of a Podman that would answer as an engine, https://docs.podman.io/en/latest/markdown/podman-system-service.1.html."""
    places = [Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"), Path("/run")]
    sockets = (str(place / "podman" / "podman.sock") for place in places)
    return next((socket for socket in sockets if os.access(socket, os.R_OK | os.W_OK)), "")


def _shown(address: str) -> str:
    return address.removeprefix("unix://").rpartition("@")[2]


def _reason(error: Exception) -> str:
    """The system's own words where the error has them: 'connection refused'."""
    cause: BaseException | None = error
    while cause:
        found = next((item for item in (cause, *cause.args) if isinstance(item, OSError) and item.strerror), None)
        if found:
            return str(found.strerror).lower()
        cause = cause.__cause__ or cause.__context__
    return ""
