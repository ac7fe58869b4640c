"""Installing Flux, for every cluster: the objects, the flags, where the controllers run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from devloop.clients.kube import Kube
    from devloop.runtime.containers import ContainerRuntime
    from devloop.runtime.processes import ProcessRuntime


class Controllers(Protocol):
    """The Flux controllers of one environment; `names` are those that it needs."""

    def tools(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of the pinned tools that `ensure` needs."""

    def images(self, names: Sequence[str]) -> tuple[str, ...]:
        """References of the images that the nodes need for it."""

    def ensure(self, names: Sequence[str], kube: Kube) -> bool:
        """They run; whether anything had to be done for that. Needs what `install` installs."""


def open_controllers(runtime: ContainerRuntime | ProcessRuntime) -> Controllers:
    """The controllers as what runs there: Deployments in the cluster or host processes."""
    from devloop.runtime.processes import ProcessRuntime

    if isinstance(runtime, ProcessRuntime):
        from devloop.flux.processes import ProcessControllers

        return ProcessControllers(runtime)
    from devloop.flux.rollout import ClusterControllers

    return ClusterControllers(runtime)
