"""How long it takes from nothing to a healthy environment: with everything downloaded, and with everything built from source.

Downloads come from local servers at 20 MB/s: a package index, a server of releases, a registry. The machine that uses them is a namespace
of this one without Go, without an engine, and with an empty home. Builds from source use empty caches of Go and the real proxy of modules.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurements import BARE, BARE_RATIO, FROM_SOURCE, SOURCE_RATIO, START, WHEEL, WORKER_BUILD, WORKER_RATIO, Measurements
from devloop.clients.engine import connect
from devloop.clients.wait import until
from devloop.clients.worker import Worker
from devloop.images import Images
from devloop.toolchain import Toolchain
from tests.integration.bare_machine import Machine, namespaces, patch_lock, service
from tests.integration.conftest import ROOT, write_index
from tests.integration.published import HOSTS, RELEASES, publish, write_certificates, write_releases
from tests.unit.clients.registries import listens, running

RATE = 20  # megabytes per second
REGISTRY, INDEX, SERVED = 443, 8000, 8001
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Place:
    """`machine` with the servers running; the installed lock gets `releases` and `digests`."""

    machine: Machine
    index: Path
    releases: str
    digests: Mapping[str, str]


@contextmanager
def prepared() -> Iterator[Place]:
    """Everything that is offered, published and served; afterwards all of it is gone."""
    toolchain = Toolchain()
    toolchain.ensure((*RELEASES, *CONTROLLERS, "registry", "worker"), lambda _: None)
    with tempfile.TemporaryDirectory(prefix="devloop-installing-") as scratch, ExitStack() as stack:
        home = Path(scratch)
        folders = {name: home / name for name in ("source", "index", "registry", "releases")}
        for folder in folders.values():
            folder.mkdir()
        write_index(folders["source"], folders["index"])
        releases = write_releases(folders["releases"], toolchain, f"http://127.0.0.1:{SERVED}")
        machine = Machine(home, stack.enter_context(namespaces(home, HOSTS)))
        digests = _publish(folders["registry"], toolchain)
        tls = write_certificates(home, HOSTS)
        stack.enter_context(running(toolchain.path("registry"), folders["registry"], enter=machine.enter, port=REGISTRY + 9000, tls=tls))
        for name, port in (("index", INDEX), ("releases", SERVED)):
            _serve(stack, machine, name, ("http.server", "--bind", "127.0.0.1", "--directory", str(folders[name]), str(port + 1000)))
        pairs = (f"{REGISTRY}:{REGISTRY + 9000}", f"{INDEX}:{INDEX + 1000}", f"{SERVED}:{SERVED + 1000}")
        _serve(stack, machine, "bandwidth", ("benchmarks.bandwidth", str(RATE), *pairs))
        for port in (REGISTRY, INDEX, SERVED):
            until(lambda port=port: listens(port, machine.enter), "the servers", patience=20, stop=threading.Event(), hint="")  # type: ignore[misc]
        yield Place(machine, folders["index"], releases, digests)


def _publish(folder: Path, toolchain: Toolchain) -> dict[str, str]:
    with closing(connect()) as engine, running(toolchain.path("registry"), folder) as registry:
        images = Images(toolchain, engine)
        images.ensure(CONTROLLERS, lambda _: None)
        return publish(registry, {f"fluxcd/{name}:v{toolchain.version(name)}": images.reference(name) for name in CONTROLLERS})


def _serve(stack: ExitStack, machine: Machine, name: str, module: tuple[str, ...]) -> None:
    stack.enter_context(service(machine, name, ("env", f"PYTHONPATH={ROOT}", sys.executable, "-m", *module)))


def measure(place: Place, measured: Measurements) -> None:
    """One round on the bare machine."""
    measured.seconds[WHEEL].append(_from_wheel(place, "validate"))
    measured.seconds[BARE].append(_from_wheel(place, "up", "local"))
    measured.seconds[START].append(_start_of_worker())


def _from_wheel(place: Place, *command: str) -> float:
    """Seconds of `pip install`, `init` and the command, in an empty home; its virtual environment is there before."""
    user = place.machine.home / "user"
    shutil.rmtree(user, ignore_errors=True)
    user.mkdir()
    env = {"HOME": str(user), "PATH": f"{user}/venv/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    _run(place.machine, env, sys.executable, "-m", "venv", str(user / "venv"))
    links = f"http://127.0.0.1:{INDEX}/"
    seconds = _run(place.machine, env, "pip", "install", "-q", "--no-cache-dir", "--no-index", "--find-links", links, "devloop")
    patch_lock(user, place.releases, place.digests)
    repository = str(user / "demo")
    seconds += _run(place.machine, env, "devloop", "init", repository)
    seconds += _run(place.machine, env, "devloop", "-C", repository, *command)
    if command[0] == "up":
        _run(place.machine, env, "devloop", "-C", repository, "down", "local")
    return seconds


def _run(machine: Machine, env: Mapping[str, str], *argv: str) -> float:
    start = time.perf_counter()
    done = machine.run(*argv, env=env)
    if done.status:
        raise SystemExit(f"{' '.join(argv)} ended with {done.status}: {done.text[-3000:]}")
    return time.perf_counter() - start


def _start_of_worker() -> float:
    """Seconds from the start of the process to its first answer."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with Worker(Toolchain().path("worker"), Path(folder)) as worker:
            worker.locate([])
            return time.perf_counter() - start


def compare(before: Path, measured: Measurements) -> None:
    """Once: README's first line of both checkouts from source, and the build of their workers."""
    built = {name: _worker_build(checkout) for name, checkout in (("before", before), ("now", ROOT))}
    measured.seconds[WORKER_BUILD].append(built["now"])
    measured.seconds[WORKER_RATIO].append(built["now"] / built["before"])
    seconds = {name: _from_source(name, checkout, measured) for name, checkout in (("before", before), ("now", ROOT))}
    measured.seconds[FROM_SOURCE].append(seconds["now"])
    measured.seconds[f"{FROM_SOURCE}, before"].append(seconds["before"])
    measured.seconds[SOURCE_RATIO].append(seconds["now"] / seconds["before"])
    measured.seconds[BARE_RATIO].append(min(measured.seconds[BARE]) / seconds["before"])


@contextmanager
def _empty_home() -> Iterator[tuple[Path, dict[str, str]]]:
    """A home with empty caches; no engine answers."""
    with tempfile.TemporaryDirectory(prefix="devloop-source-", ignore_cleanup_errors=True) as scratch:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DEVLOOP_", "GO", "SOPS_", "PYTHON"))}
        env = kept | {"HOME": scratch, "DOCKER_HOST": f"unix://{scratch}/no-engine.sock", "GOFLAGS": "-buildvcs=false -modcacherw"}
        yield Path(scratch), env


def _from_source(name: str, checkout: Path, measured: Measurements) -> float:
    """Seconds of the line; MiB of what it leaves in the home go to `memory`."""
    with _empty_home() as (home, env):
        clone = home / "checkout"
        subprocess.run(["git", "clone", "-q", checkout, clone], check=True)
        line = "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/devloop init demo && .venv/bin/devloop -C demo up local"
        start = time.perf_counter()
        done = subprocess.run(["bash", "-c", line], cwd=clone, env=env, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        subprocess.run([".venv/bin/devloop", "-C", "demo", "down", "local"], cwd=clone, env=env, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{name}: ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        left = subprocess.run(["du", "-sm", home], capture_output=True, text=True, check=True).stdout.split()[0]
        measured.memory[f"left behind from source, {name}"].append(float(left))
        return seconds


def _worker_build(checkout: Path) -> float:
    """Seconds of the worker's build with an empty build cache; modules are there."""
    modules = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    python = checkout / ".venv/bin/python" if (checkout / ".venv").exists() else Path(sys.executable)
    with _empty_home() as (home, env):
        settings = {"GOMODCACHE": modules, "GOCACHE": str(home / "compiled"), "PYTHONPATH": str(checkout)}
        start = time.perf_counter()
        subprocess.run([python, "-m", "devloop", "toolchain", "install", "worker"], cwd=checkout, env=env | settings, check=True, stdout=2)
        return time.perf_counter() - start
