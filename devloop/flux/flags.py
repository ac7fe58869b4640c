"""Flags of the Flux controllers, tuned for one repository on one machine. Pure."""

from collections.abc import Mapping

from devloop.model.flux.names import KEYS_SECRET

ENVIRONMENT = {"GOGC": "400"}  # fewer garbage collections save time and cost little memory


def tuned_flags(name: str, *, health: str, gates: Mapping[str, str]) -> dict[str, object]:
    """Flag -> value for the controller `name`; `health` is the address for its probes, `gates` are the repository's feature gates."""
    return {
        "watch-all-namespaces": "true",
        "enable-leader-election": "false",
        "metrics-addr": "0",  # off: this port would also serve profiles without authentication
        "health-addr": health,
        "events-addr": "",  # there is no notification controller
        "log-level": "info",
        "log-encoding": "json",
        # With one repository, Flux spends most time on retries, jitter and throttling. devloop triggers dependents as soon as they can
        # proceed, so frequent polling of dependencies is unnecessary.
        "min-retry-delay": "20ms",
        "requeue-dependency": "1s",
        "interval-jitter-percentage": 0,
        "concurrent": 10,
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
        **(_kustomize_controller(gates) if name == "kustomize-controller" else {}),
    }


def _kustomize_controller(gates: Mapping[str, str]) -> dict[str, object]:
    # An annotation then restarts a running health check, instead of waiting up to five seconds for its next poll.
    own = {**gates, "CancelHealthCheckOnNewRevision": "true", "CacheSecretsAndConfigMaps": "true"}
    return {"feature-gates": ",".join(f"{gate}={value}" for gate, value in own.items()), "sops-age-secret": KEYS_SECRET.name}
