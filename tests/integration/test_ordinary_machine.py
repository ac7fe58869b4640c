"""The machine of most users: an engine with nothing in it, published images and releases in reach, no Go, no caches.

It is a mount and a network namespace of this one with an engine of its own. docker.io and ghcr.io are a local registry with an own CA; the
lock of the installed wheel has the digests of these stand-ins. Go is hidden.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.engine import connect
from devloop.clients.wait import until
from devloop.images import Images
from devloop.toolchain import Toolchain
from scripts.faults.environment import claim_names

from ..unit.clients.registries import Registry, listens, running
from .bare_machine import Machine, install_wheel, namespaces, patch_lock, service
from .published import BASES, HOSTS, RELEASES, publish, write_certificates, write_releases

PORT = 8000
CLUSTER = "devloop-ordinary"
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("ip"), reason="an engine in a network of its own needs root and iproute2"
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, package_index: Path) -> Iterator[Machine]:
    home = Path(str(tmp_path_factory.mktemp("machine")))
    toolchain, images = Toolchain(), home / "registry"
    toolchain.ensure((*RELEASES, "registry"), lambda _: None)
    images.mkdir()
    with running(toolchain.path("registry"), images) as registry:
        digests = _publish(registry, toolchain)
    certificates = write_certificates(home, HOSTS)
    (home / "releases").mkdir()
    releases = write_releases(home / "releases", toolchain, f"http://127.0.0.1:{PORT}")
    install_wheel(home, package_index)
    patch_lock(home, releases, digests)
    with ExitStack() as stack:
        machine = Machine(home, stack.enter_context(namespaces(home, HOSTS)))
        stack.enter_context(running(toolchain.path("registry"), images, enter=machine.enter, port=443, tls=certificates))
        server = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(home / "releases"), str(PORT))
        stack.enter_context(service(machine, "releases", server))
        until(lambda: listens(PORT, machine.enter), "the release server", patience=20, stop=threading.Event(), hint="")
        stack.enter_context(_engine(machine))
        yield machine


def _publish(registry: Registry, toolchain: Toolchain) -> dict[str, str]:
    with closing(connect()) as engine:
        images = Images(toolchain, engine)
        images.ensure(images.names, lambda _: None)
        version = toolchain.version("kubelet")
        pushed = {f"kindest/node:v{version}": images.reference("node")}
        for name in ("source-controller", "kustomize-controller", "helm-controller"):
            pushed[f"fluxcd/{name}:v{toolchain.version(name)}"] = images.reference(name)
        return publish(registry, pushed | dict.fromkeys(BASES, images.reference("git-server-base")))


@contextmanager
def _engine(machine: Machine) -> Iterator[None]:
    folder = machine.home / "engine"
    folder.mkdir()
    paths = [f"--{option}={folder / option}" for option in ("data-root", "exec-root", "pidfile")]
    with service(machine, "dockerd", ("dockerd", *paths, f"--host=unix://{folder}/docker.sock")):
        until(lambda: machine.run("docker", "version").status == 0, "the engine", patience=60, stop=threading.Event(), hint="")
        assert machine.run("docker", "images", "--quiet").out == ""
        try:
            yield
        finally:
            machine.run("sh", "-c", "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes")


def _pods(machine: Machine) -> list[Any]:
    argv = (str(Toolchain().path("kubectl")), "--context", f"kind-{CLUSTER}", "get", "pods", "--all-namespaces", "--output", "json")
    pods: list[Any] = json.loads(machine.run(*argv).out)["items"]
    return pods


def test_the_first_line_of_the_readme_ends_with_every_pod_running(machine: Machine) -> None:
    assert machine.run("devloop", "init", "demo").status == 0
    claim_names(machine.home / "demo", CLUSTER)
    up = machine.run("devloop", "-C", "demo", "up", "local", "--output", "json")
    assert up.status == 0, up.text
    assert up.report["provisioner"] == "kind"
    pods = _pods(machine)
    assert len(pods) > 10
    assert {pod["status"]["phase"] for pod in pods} <= {"Running", "Succeeded"}
    assert machine.run("devloop", "-C", "demo", "down", "local").status == 0


def test_the_control_plane_on_the_host_needs_no_compiler_either(machine: Machine) -> None:
    assert machine.run("devloop", "init", "host").status == 0
    up = machine.run("devloop", "-C", "host", "up", "local", "--provisioner", "embedded", "--output", "json")
    assert up.status == 0, up.text
    listed = machine.run("devloop", "toolchain", "list")
    assert "source" not in {line.split()[2] for line in listed.out.splitlines()[1:] if len(line.split()) > 2}, listed.out
    assert machine.run("devloop", "-C", "host", "down", "local").status == 0


def test_validating_needs_nothing_but_the_wheel(machine: Machine) -> None:
    assert machine.run("devloop", "init", "checked").status == 0
    assert machine.run("devloop", "-C", "checked", "validate").status == 0
