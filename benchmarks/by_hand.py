"""Runs and times by_hand.sh: writes its input before the clock starts, and stops it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sandbox import Sandbox
from devloop.clients import private_files, process
from devloop.clients.logs import tail
from devloop.clients.ports import LOOPBACK
from devloop.errors import DevloopError
from devloop.flux import manifests
from devloop.flux import processes as controllers
from devloop.gitserver import git_server
from devloop.gitserver import process as git_process
from devloop.model.flux.names import CONTROLLERS, NAMESPACE
from devloop.model.kubernetes.objects import Object
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE, service_address
from devloop.provisioners.embedded.nodes import nodes_of
from devloop.provisioners.embedded.pki import USERS
from devloop.runtime.components import Component, ComponentContext, environment_for
from devloop.runtime.layout import Layout
from devloop.runtime.ports import ensure_ports, ports
from devloop.toolchain import Toolchain

SCRIPT = Path(__file__).with_name("by_hand.sh")
REQUEUE = "requeue-dependency"
GRACE = 10.0  # seconds for the script to stop what it started


@dataclass(frozen=True)
class Run:
    """One run of the script, ready and still up: total seconds, seconds by phase, and access to its cluster."""

    seconds: float
    phases: dict[str, float]
    kubeconfig: Path


@contextlib.contextmanager
def by_hand(place: Sandbox) -> Iterator[Run]:
    """The environment that the script brings up; deleted after the block."""
    toolchain, layout = Toolchain(), Layout(place.by_hand)
    _prepare(place, toolchain, layout)
    argv = [SCRIPT, place.repository, layout.folder, place.age_key_file]
    start = time.perf_counter()
    # In a new session, so that Ctrl-C reaches the script and its children only through this process.
    with layout.log("by-hand").open("wb") as log:
        script = process.spawn(argv, stdin=process.PIPE, stdout=process.PIPE, stderr=log, new_session=True)
    try:
        phases = _phases(script, layout.log("by-hand"))
        yield Run(time.perf_counter() - start, phases, layout.kubeconfig("admin"))
    finally:
        _end(script)
        shutil.rmtree(layout.folder)


def _phases(script: process.Process[bytes], log: Path) -> dict[str, float]:
    """The output of the script until it is ready."""
    assert script.stdout
    phases: dict[str, float] = {}
    for line in script.stdout:
        word, *rest = line.decode().split()
        if word == "ready":
            return phases
        phases[rest[0]] = float(rest[1])
    raise DevloopError(f"by_hand.sh ended after the phases {', '.join(phases) or '(none)'}: {tail(log)}")


def _end(script: process.Process[bytes]) -> None:
    """Stops the script and its children; its trap kills those that ignore the signal."""
    if script.poll() is None:
        os.killpg(script.pid, signal.SIGTERM)
        script.wait(GRACE)


def _prepare(place: Sandbox, toolchain: Toolchain, layout: Layout) -> None:
    """Uses devloop's command lines, so that the comparison stays fair when those are tuned."""
    definition = place.environment.definition
    layout.make()
    ensure_ports(layout)
    context = ComponentContext(layout, definition, toolchain, ports(layout))
    private_files.write(layout.folder / "settings.sh", _settings(context, toolchain))
    private_files.write(layout.pki / "users", "".join(f"{name} {_subject(*user)}\n" for name, user in USERS.items()))
    private_files.write_json(layout.folder / "nodes.json", object_list(nodes_of(definition, f"v{toolchain.version('kube-apiserver')}")))
    private_files.write_json(layout.folder / "flux.json", object_list(flux_objects(toolchain)))


def _settings(context: ComponentContext, toolchain: Toolchain) -> str:
    names = ("DNS:localhost", "DNS:kubernetes.default.svc", f"IP:{LOOPBACK}", f"IP:{service_address(context.definition)}")
    variables = {
        "api_server": context.api_server,
        "git_url": f"http://{context.address(git_process.NAME)}/{git_server.REPOSITORY}",
        "server_names": ",".join(names),
        "pusher": git_server.PUSHER,
        "puller": git_server.PULLER,
        "PATH": f"{toolchain.path('kubectl').parent}:{os.environ['PATH']}",
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f"controllers=({shlex.join(CONTROLLERS)})")
    components = [program.command(context) for program in CONTROL_PLANE.values()] + [git_process.command(context)]
    components += [controllers.command(context, name, {}) for name in CONTROLLERS]
    return "\n".join([*lines, *(_function(context, component) for component in components)]) + "\n"


def _function(context: ComponentContext, component: Component) -> str:
    environment = environment_for(context.layout, os.environ) | dict(component.env)
    # devloop triggers waiting Kustomizations; for a script that does not, they retry often.
    argv = (f"--{REQUEUE}=100ms" if argument.startswith(f"--{REQUEUE}") else argument for argument in component.argv)
    words = ["env", "-i", *(f"{key}={value}" for key, value in environment.items()), *argv]
    return f"run-{component.name}() {{ cd {shlex.quote(str(context.layout.sockets))} && exec {shlex.join(words)}; }}"


def _subject(user: str, groups: tuple[str, ...]) -> str:
    return "".join(f"/O={group}" for group in groups) + f"/CN={user}"


def flux_objects(toolchain: Toolchain) -> list[Object]:
    """Flux as devloop installs it, with the same tuning."""
    objects = [manifests.namespace(NAMESPACE), *(manifests.service_account(name) for name in CONTROLLERS)]
    for name in CONTROLLERS:
        objects += [*toolchain.crds(name), *manifests.rbac(name, toolchain.rbac(name))]
    return objects


def object_list(items: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": items}
