"""Flux for every provisioner: its objects, its flags, its controllers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from devloop.clients.kube import Kube
    from devloop.model.report import Emit
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime


class Controllers(Protocol):
    """The Flux controllers of one environment; `names` are the required ones."""

    def tools(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of the pinned tools that `ensure` needs."""

    def ensure_images(self, names: Sequence[str], emit: Emit) -> tuple[str, ...]:
        """Fetch the images that the nodes need; all of them."""

    def ensure(self, names: Sequence[str], kube: Kube, gates: Mapping[str, str]) -> bool:
        """Start them if needed; whether anything changed. Call `install` first. `gates` are the kustomize-controller's feature gates."""

    def artifact(self, kube: Kube, url: str) -> bytes:
        """The artifact of a source by its URL."""

    def restart(self, names: Sequence[str], kube: Kube) -> None:
        """End those that run, to start again: they may wait long for kinds or permissions that were missing meanwhile."""


def open_controllers(runtime: ContainerRuntime | ProcessRuntime) -> Controllers:
    """Deployments or host processes, depending on `runtime`."""
    if runtime.place == "host":
        from devloop.flux.processes import ProcessControllers

        return ProcessControllers(runtime)
    from devloop.flux.rollout import ClusterControllers

    return ClusterControllers(runtime)
