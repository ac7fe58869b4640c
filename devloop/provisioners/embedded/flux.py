"""The command lines of the Flux controllers, tuned for one repository on one machine. Pure."""

from __future__ import annotations

from devloop.provisioners.embedded.components import Component, Site


def flux_controller(site: Site, name: str) -> Component:
    flags: dict[str, object] = {
        "watch-all-namespaces": "true",
        "enable-leader-election": "false",
        # None: beside the metrics it would serve profiles, to every user of the machine.
        "metrics-addr": "0",
        "health-addr": site.address(f"{name}-health"),
        # Writing events would be a call each to a notification controller that is not there.
        "events-addr": "",
        "log-level": "info",
        "log-encoding": "json",
        # Where Flux spends its time on one repository: first retries, jitter, throttling. Dependents are nudged the moment that
        # they can go on, so that looking at dependencies again and again would only cost.
        "min-retry-delay": "20ms",
        "requeue-dependency": "1s",
        "interval-jitter-percentage": 0,
        "concurrent": 10,
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
        **_own_flags(site, name),
    }
    env = {"RUNTIME_NAMESPACE": "flux-system", "KUBECONFIG": str(site.layout.kubeconfig(name)), "GOGC": "400"}
    return site.command(name, flags, **env, **site.client())


def _own_flags(site: Site, name: str) -> dict[str, object]:
    if name == "source-controller":
        address = site.address("source-controller-artifacts")
        return {"storage-path": site.layout.artifacts, "storage-addr": address, "storage-adv-addr": address}
    if name == "kustomize-controller":
        # An annotation then restarts a health check that runs, instead of waiting for its next look five seconds later.
        return {"feature-gates": "CancelHealthCheckOnNewRevision=true,CacheSecretsAndConfigMaps=true", "sops-age-secret": "sops-age"}
    return {}
