"""Runs by_hand_kind.sh: writes its input before the clock starts, sends it one command after the other, and stops it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from benchmarks.by_hand import REQUEUE, flux_objects, object_list
from benchmarks.sandbox import Sandbox
from devloop.clients import process
from devloop.clients.engine import connect
from devloop.clients.engine.images import ImageStore
from devloop.clients.logs import tail
from devloop.clients.worker import Worker
from devloop.errors import DevloopError
from devloop.flux import deployments as flux
from devloop.gitserver import git_server
from devloop.images import Images
from devloop.model.flux.names import CONTROLLERS
from devloop.provisioners.kind.configuration import configuration
from devloop.provisioners.kind.node_image import node_image
from devloop.repository.age_keys import identities
from devloop.repository.graph import build_graph
from devloop.toolchain import Toolchain

SCRIPT = Path(__file__).with_name("by_hand_kind.sh")
CLUSTER = "devloop-by-hand"
GIT_IMAGE = "localhost/devloop/by-hand-git"
GRACE = 30.0  # seconds for the script to clean up

Object = dict[str, Any]


@dataclass
class Script:
    """The running script; `phases` are those of the last command."""

    running: process.Process[bytes]
    folder: Path
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def ask(self, request: str) -> float:
        """Seconds until the command is done."""
        assert self.running.stdin
        start = time.perf_counter()
        self.running.stdin.write(f"{request}\n".encode())
        self.running.stdin.flush()
        return self.await_done(start)

    def await_done(self, start: float) -> float:
        assert self.running.stdout
        self.phases = {}
        for line in self.running.stdout:
            word, *rest = line.decode().split()
            if word == "done":
                return time.perf_counter() - start
            self.phases[rest[0]] = float(rest[1])
        done = ", ".join(self.phases) or "(none)"
        raise DevloopError(f"{SCRIPT.name} ended after the phases {done}: {tail(self.folder / 'by-hand.log')}")


@dataclass(frozen=True)
class Ingredients:
    """The input of a variant of the script. `tuned`: controllers with devloop's flags, else as Flux installs them;
    `configured`: nodes with devloop's kubeadm settings, else as in the definition."""

    place: Sandbox
    toolchain: Toolchain
    tuned: bool
    configured: bool

    @cached_property
    def images(self) -> Images:
        return Images(self.toolchain, connect())

    @cached_property
    def own(self) -> dict[str, str]:
        """References by name of the images built on this machine."""
        return self.images.available()

    @cached_property
    def controllers(self) -> dict[str, str]:
        return {name: self.own.get(name) or f"ghcr.io/fluxcd/{name}:v{self.toolchain.version(name)}" for name in CONTROLLERS}

    def write(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "kind.yaml").write_text(yaml.safe_dump(self._configuration() | {"name": CLUSTER}))
        (folder / "flux.json").write_text(json.dumps(object_list(flux_objects(self.toolchain))))
        (folder / "controllers.json").write_text(json.dumps(object_list(self._deployments())))
        (folder / "settings.sh").write_text(self._settings())

    def build_git_image(self) -> None:
        """Built from the same Dockerfile as devloop's."""
        files = {"Dockerfile": (Path(git_server.__file__).with_name("Dockerfile")).read_bytes()}
        files["git_server.py"] = Path(git_server.__file__).read_bytes()
        base = self.own.get("git-server-base", "")
        ImageStore(connect()).build(GIT_IMAGE, files, {"BASE": base} if base else {}, threading.Event())

    def _configuration(self) -> Object:
        definition = self.place.environment.definition
        version, own = self.toolchain.version("kubelet"), self.own.get("node")
        image = node_image(definition, {version: own} if own else {}, self.toolchain.node_images(), version)
        whole = configuration(definition, image.reference)
        return whole if self.configured else {**whole, "kubeadmConfigPatches": definition.kind_config.get("kubeadmConfigPatches", [])}

    def _deployments(self) -> list[Object]:
        deployments = flux.deployments(self.controllers, f"{CLUSTER}-control-plane", {})
        if not self.tuned:
            return [*map(as_flux_installs, deployments), artifacts_service()]
        for deployment in deployments:
            container = deployment["spec"]["template"]["spec"]["containers"][0]
            # devloop triggers waiting Kustomizations; for a script that does not, they retry often.
            container["args"] = [f"--{REQUEUE}=100ms" if REQUEUE in argument else argument for argument in container["args"]]
        return deployments

    def _settings(self) -> str:
        store = ImageStore(connect())
        carried = CONTROLLERS if self.own.get("node", "") else ()
        wanted = (*(image for name, image in self.controllers.items() if name not in carried), *self._workload_images())
        folders = {str(self.toolchain.path(name).parent) for name in ("kind", "kubectl")}
        variables = {
            "cluster": CLUSTER,
            "git_server": f"{CLUSTER}-git",
            "git_image": GIT_IMAGE,
            "git_repository": git_server.REPOSITORY,
            "pusher": git_server.PUSHER,
            "puller": git_server.PULLER,
            "nudge": "yes" if self.tuned else "",
            "PATH": ":".join([*sorted(folders), os.environ["PATH"]]),
        }
        arrays = {"controllers": CONTROLLERS, "images": [image for image in wanted if store.identity(image)]}
        lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        return "\n".join([*lines, *(f"{name}=({shlex.join(values)})" for name, values in arrays.items())]) + "\n"

    def _workload_images(self) -> tuple[str, ...]:
        environment = self.place.environment
        with Worker(self.toolchain.path("worker"), environment.root, identities(environment).text) as worker:
            return build_graph(environment, worker).images


def as_flux_installs(deployment: Object) -> Object:
    """The Deployment with the arguments of Flux's own installation (without the address of a controller that is not installed), on the
    pod network, behind a Service."""
    name, pod = deployment["metadata"]["name"], deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    arguments = ["--watch-all-namespaces=true", "--log-level=info", "--log-encoding=json", "--enable-leader-election"]
    if name == "source-controller":
        arguments += ["--storage-path=/data", f"--storage-adv-addr={name}.$(RUNTIME_NAMESPACE).svc.cluster.local."]
    runtime_namespace = {"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    ports = [{"name": "http", "containerPort": 9090}, {"name": "healthz", "containerPort": 9440}]
    probes = {
        f"{kind}Probe": {"httpGet": {"path": path, "port": "healthz"}}
        for kind, path in (("readiness", "/readyz"), ("liveness", "/healthz"))
    }
    own = {"args": arguments, "env": [runtime_namespace], "ports": ports, **probes}
    kept = {key: value for key, value in pod.items() if key not in ("hostNetwork", "dnsPolicy", "nodeSelector", "tolerations")}
    template = deployment["spec"]["template"] | {"spec": {**kept, "containers": [{**container, **own}]}}
    return deployment | {"spec": deployment["spec"] | {"template": template}}


def artifacts_service() -> Object:
    spec = {"selector": {"app": "source-controller"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "source-controller", "namespace": "flux-system"}, "spec": spec}


@contextlib.contextmanager
def by_hand(place: Sandbox, *, tuned: bool, configured: bool = False) -> Iterator[tuple[float, Script]]:
    """The environment that the script brings up, and the seconds that took; deleted after the block."""
    ingredients, folder = Ingredients(place, Toolchain(), tuned, configured), place.by_hand
    ingredients.build_git_image()
    ingredients.write(folder)
    argv = [SCRIPT, place.repository, folder, place.age_key_file]
    start = time.perf_counter()
    # In a new session, so that Ctrl-C reaches the script and its children only through this process.
    with (folder / "by-hand.log").open("wb") as log:
        script = Script(process.spawn(argv, stdin=process.PIPE, stdout=process.PIPE, stderr=log, new_session=True), folder)
    try:
        yield script.await_done(start), script
    finally:
        _end(script.running)
        shutil.rmtree(folder)


def _end(script: process.Process[bytes]) -> None:
    """Closes its input or signals it, after which it cleans up."""
    if script.poll() is None:
        os.killpg(script.pid, signal.SIGTERM)
        script.wait(GRACE)
