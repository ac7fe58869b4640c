"""The machine of most users: an engine with nothing in it, published images and releases in reach, no Go, no caches.

It is a mount and a network namespace of this one with an engine of its own. docker.io and ghcr.io are a local registry with an own CA; the
lock of the installed wheel has the digests of these stand-ins. Go is hidden.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.engine import connect
from devloop.clients.wait import until
from devloop.images import Images
from devloop.toolchain import Toolchain

from ..unit.clients.registries import Registry, listens, running
from .conftest import Run, claim_names
from .published import BASES, HOSTS, RELEASES, patched_lock, publish, write_certificates, write_releases

PORT = 8000
CLUSTER = "devloop-ordinary"
SETUP = """
set -e
ip link set lo up
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/docker" /etc/docker
[ -z "$2" ] || mount --bind "$1/empty" "$2"
echo ready
exec sleep infinity
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("ip"), reason="an engine in a network of its own needs root and iproute2"
)


@dataclass(frozen=True)
class Machine:
    """`target` is a process in its namespaces; users start commands in `home`."""

    home: Path
    target: int

    @property
    def enter(self) -> tuple[str, ...]:
        return ("nsenter", "--target", str(self.target), "--mount", "--net", f"--wd={self.home}", "--")

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.home}/venv/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        socket = f"unix://{self.home}/engine/docker.sock"
        return {"HOME": str(self.home), "PATH": path, "DOCKER_HOST": socket, "SSL_CERT_FILE": str(self.home / "ca.crt"), "LANG": "C.UTF-8"}

    def run(self, *argv: str) -> Run:
        done = subprocess.run([*self.enter, *argv], env=self.env, cwd=self.home, capture_output=True, text=True, timeout=600, check=False)
        return Run(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *arguments: str) -> dict[str, Any]:
        """With the kubectl of this machine's cache; the JSON."""
        argv = (str(Toolchain().path("kubectl")), "--context", f"kind-{CLUSTER}", *arguments, "--output", "json")
        answer: dict[str, Any] = json.loads(self.run(*argv).out)
        return answer


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
    _install_wheel(home, package_index, releases, digests)
    with ExitStack() as stack:
        machine = Machine(home, stack.enter_context(_namespaces(home)))
        stack.enter_context(running(toolchain.path("registry"), images, enter=machine.enter, port=443, tls=certificates))
        server = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(home / "releases"), str(PORT))
        stack.enter_context(_service(machine, "releases", server))
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


def _install_wheel(home: Path, index: Path, releases: str, digests: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    install = [home / "venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "--find-links", index, "devloop"]
    subprocess.run(install, check=True, timeout=300)
    (lock,) = (home / "venv/lib").glob("python*/site-packages/devloop/toolchain/lock.toml")
    lock.write_text(patched_lock(lock.read_text(), releases, digests))


@contextmanager
def _namespaces(home: Path) -> Iterator[int]:
    """The process that holds them."""
    (home / "hosts").write_text(f"127.0.0.1 localhost {' '.join(HOSTS)}\n")
    (home / "docker").mkdir()
    (home / "empty").mkdir()
    if Path("/etc/docker/daemon.json").exists():
        shutil.copy("/etc/docker/daemon.json", home / "docker")
    go = shutil.which("go")
    hidden = str(Path(go).resolve().parent) if go else ""
    argv = ["unshare", "--mount", "--net", "bash", "-c", SETUP, "bash", str(home), hidden]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == "ready\n"
            yield running.pid
        finally:
            running.kill()


@contextmanager
def _service(machine: Machine, name: str, argv: Sequence[str | Path]) -> Iterator[None]:
    with (machine.home / f"{name}.log").open("w") as log:
        running = subprocess.Popen([*machine.enter, *argv], env=machine.env, stdout=log, stderr=log)
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=60)


@contextmanager
def _engine(machine: Machine) -> Iterator[None]:
    folder = machine.home / "engine"
    folder.mkdir()
    paths = [f"--{option}={folder / option}" for option in ("data-root", "exec-root", "pidfile")]
    with _service(machine, "dockerd", ("dockerd", *paths, f"--host=unix://{folder}/docker.sock")):
        until(lambda: machine.run("docker", "version").status == 0, "the engine", patience=60, stop=threading.Event(), hint="")
        assert machine.run("docker", "images", "--quiet").out == ""
        try:
            yield
        finally:
            machine.run("sh", "-c", "docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes")


def test_the_first_line_of_the_readme_ends_with_every_pod_running(machine: Machine) -> None:
    assert machine.run("devloop", "init", "demo").status == 0
    claim_names(machine.home / "demo", CLUSTER)
    up = machine.run("devloop", "-C", "demo", "up", "local", "--output", "json")
    assert up.status == 0, up.text
    assert up.report["provisioner"] == "kind"
    pods = machine.kubectl("get", "pods", "--all-namespaces")["items"]
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
