"""The second generation (early Go): ksail.dev/v1alpha1, first flat, then (G2b) with `spec.cluster` and `spec.workload`."""

from dataclasses import replace

from devloop.model.ksail.g3 import FIELDS as G3_FIELDS
from devloop.model.ksail.g3 import G3
from devloop.model.ksail.generation import Generation
from devloop.model.yaml.schema import EMPTY, TEXT, FieldSchema, table, toggle, words

_API_VERSION = "ksail.dev/v1alpha1"
_HEAD = {"apiVersion": replace(words(_API_VERSION), required=True), "kind": replace(words("Cluster"), required=True)}
_PORT = FieldSchema(("integer",), lowest=0, highest=65535)
_WORDS = {"distribution": {"Kind": "Vanilla", "K3d": "K3s"}, "csi": {"LocalPathStorage": "Enabled"}}

_SPEC = {
    "spec": {
        "distribution": words("Kind", "K3d", Vanilla="Kind", Native="Kind", K3s="K3d"),
        **dict.fromkeys(("distributionConfig", "sourceDirectory", "editor"), TEXT),
        "cni": words("Default", "Cilium", "Calico"),
        "csi": words("Default", "LocalPathStorage", LocalPathProvisioner="LocalPathStorage"),
        **dict.fromkeys(("metricsServer", "certManager", "localRegistry"), toggle()),
        "gitOpsEngine": words("None", "Flux", "ArgoCD", Kubectl="None"),
    },
    "spec.connection": {"kubeconfig": TEXT, "context": TEXT, "timeout": TEXT},
    "spec.options": {
        "flux.interval": TEXT,
        "localRegistry.hostPort": _PORT,
        **dict.fromkeys(("kind", "k3d", "cilium", "calico", "argocd", "helm", "kustomize"), EMPTY),
    },
}

G2 = Generation(
    "G2",
    "KSail 4 to 5.5",
    _API_VERSION,
    table({"": _HEAD, **_SPEC}),
    places={
        "kubeconfig": "spec.connection.kubeconfig",
        "context": "spec.connection.context",
        "timeout": "spec.connection.timeout",
        "distribution": "spec.distribution",
        "distribution_config": "spec.distributionConfig",
        "source_directory": "spec.sourceDirectory",
        "gitops_engine": "spec.gitOpsEngine",
        "cni": "spec.cni",
        "csi": "spec.csi",
        "metrics_server": "spec.metricsServer",
        "cert_manager": "spec.certManager",
        "local_registry": "spec.localRegistry",
        "editor": "spec.editor",
    },
    words=_WORDS,
    defaults={"metrics_server": "Enabled"},
)


def _nested_fields() -> dict[str, FieldSchema]:
    """5.6 to 5.15: the sections of G3 with the values of G2 and G3."""
    today = {name: rule for name, rule in G3_FIELDS.items() if not name.startswith(("spec.provider.", "spec.chat."))}
    before = table({section.replace("spec", "spec.cluster", 1): keys for section, keys in _SPEC.items()})
    inherited = {name: rule for name, rule in before.items() if name not in today and not name.endswith((".sourceDirectory", ".editor"))}
    both = {f"spec.cluster.{key}": today[f"spec.cluster.{key}"] for key in _WORDS}
    both = {name: replace(rule, allowed=(*before[name].allowed, *rule.allowed)) for name, rule in both.items()}
    registry = FieldSchema(("text", "boolean", "labels"), ("Enabled", "Disabled"))
    without = {name: rule for name, rule in (today | inherited | both).items() if not name.startswith("spec.cluster.localRegistry.")}
    return {**without, **table({"": _HEAD}), "spec.cluster.localRegistry": registry}


G2B = Generation(
    "G2b",
    "KSail 5.6 to 5.15",
    _API_VERSION,
    _nested_fields(),
    places={setting: place for setting, place in G3.places.items() if setting != "local_registry"},
    words=_WORDS,
    defaults=G2.defaults,
)
