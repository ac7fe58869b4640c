"""The Flux controllers as host processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from devloop.clients import http
from devloop.clients.kube import Kube
from devloop.clients.wait import until
from devloop.flux.flags import ENVIRONMENT, tuned_flags
from devloop.hint import DevloopCommand
from devloop.model.flux.names import NAMESPACE
from devloop.model.report import Emit
from devloop.runtime import control
from devloop.runtime.components import Component, ComponentContext, Program
from devloop.runtime.processes import ProcessRuntime

PATIENCE = 120.0  # seconds for the API server to create its default roles
PAUSE = 0.02


@dataclass(frozen=True)
class ProcessControllers:
    """`Controllers` run by the environment's supervisor."""

    runtime: ProcessRuntime

    def tools(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(names)

    def ensure_images(self, names: Sequence[str], emit: Emit) -> tuple[str, ...]:
        return ()

    def ensure(self, names: Sequence[str], kube: Kube, gates: Mapping[str, str]) -> bool:
        # The controllers need RBAC: without it they exit because discovery is forbidden.
        until(kube.is_ready, "the API server", patience=PATIENCE, stop=self.runtime.stop, hint=DevloopCommand("status"), pause=PAUSE)
        return self.runtime.run({name: Program(partial(command, name=name, gates=gates), probe="/readyz") for name in names})

    def artifact(self, kube: Kube, url: str) -> bytes:
        return http.fetch(url, self.runtime.stop)

    def restart(self, names: Sequence[str], kube: Kube) -> None:
        control.kill(self.runtime.layout, names)


def command(context: ComponentContext, name: str, gates: Mapping[str, str]) -> Component:
    flags = {**tuned_flags(name, health=context.address(f"{name}-health"), gates=gates), **_own_flags(context, name)}
    env = {"RUNTIME_NAMESPACE": NAMESPACE, "KUBECONFIG": str(context.layout.kubeconfig(name)), **ENVIRONMENT}
    return context.command(name, flags, **env, **context.client())


def _own_flags(context: ComponentContext, name: str) -> dict[str, object]:
    if name != "source-controller":
        return {}
    address = context.address("source-controller-artifacts")
    return {"storage-path": context.layout.artifacts, "storage-addr": address, "storage-adv-addr": address}
