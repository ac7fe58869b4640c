"""The flags of the Flux controllers, tuned for one repository on one machine, wherever they run. Pure."""

from __future__ import annotations

from devloop.model.flux.names import KEYS_SECRET

# Fewer collections cost little memory and save time.
ENVIRONMENT = {"GOGC": "400"}


def tuned_flags(name: str, *, health: str) -> dict[str, object]:
    """Flag -> value of the controller `name`; `health` is the address that its probes listen on."""
    return {
        "watch-all-namespaces": "true",
        "enable-leader-election": "false",
        # None: beside the metrics it would serve profiles, to everybody who reaches it.
        "metrics-addr": "0",
        "health-addr": health,
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
        **_OWN.get(name, {}),
    }


_OWN: dict[str, dict[str, object]] = {
    # An annotation then restarts a health check that runs, instead of waiting for its next look five seconds later.
    "kustomize-controller": {
        "feature-gates": "CancelHealthCheckOnNewRevision=true,CacheSecretsAndConfigMaps=true",
        "sops-age-secret": KEYS_SECRET.name,
    },
}
