"""The command lines of the Flux controllers as host processes. Pure."""

from __future__ import annotations

from devloop.flux.flags import ENVIRONMENT, tuned_flags
from devloop.runtime.components import Component, ComponentContext


def flux_controller(site: ComponentContext, name: str) -> Component:
    flags = {**tuned_flags(name, health=site.address(f"{name}-health")), **_own_flags(site, name)}
    env = {"RUNTIME_NAMESPACE": "flux-system", "KUBECONFIG": str(site.layout.kubeconfig(name)), **ENVIRONMENT}
    return site.command(name, flags, **env, **site.client())


def _own_flags(site: ComponentContext, name: str) -> dict[str, object]:
    if name != "source-controller":
        return {}
    address = site.address("source-controller-artifacts")
    return {"storage-path": site.layout.artifacts, "storage-addr": address, "storage-adv-addr": address}
