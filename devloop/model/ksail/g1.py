"""The first generation (KSail 2 and 3, .NET): ksail.io/v1alpha1 with `spec.project`."""

from devloop.model.ksail.generation import Generation
from devloop.model.yaml.schema import BOOLEAN, INTEGER, TEXT, FieldSchema, instead, table, words

_ENGINE = words("Docker", "Podman")

FIELDS = table(
    {
        "": {"apiVersion": words("ksail.io/v1alpha1"), "kind": words("Cluster")},
        "metadata": {"name": TEXT},
        "spec.connection": {"kubeconfig": TEXT, "context": TEXT, "timeout": TEXT},
        "spec.project": {
            **dict.fromkeys(("configPath", "distributionConfigPath", "kustomizationPath"), TEXT),
            "containerEngine": _ENGINE,
            "provider": instead("spec.project.containerEngine", _ENGINE),
            # Native and K3s: until 2.25.
            "distribution": words("Kind", "K3d", "Native", "K3s", Vanilla="Kind"),
            "deploymentTool": words("Kubectl", "Flux"),
            "cni": words("Default", "Cilium", "None"),
            "csi": words("Default", "LocalPathProvisioner", "None", LocalPathStorage="LocalPathProvisioner"),
            "ingressController": words("Default", "Traefik", "None"),
            "gatewayController": words("Default", "None"),
            "metricsServer": BOOLEAN,
            # A boolean in 2.20.
            "secretManager": FieldSchema(("text", "boolean"), ("None", "SOPS")),
            "editor": words("Nano", "Vim"),
            # Strings until 2.13.
            "mirrorRegistries": FieldSchema(("boolean", "text"), ("None", "DockerRegistry")),
        },
        "spec.deploymentTool.flux.source": {"url": TEXT},
        "spec.distribution": {"showAllClustersInListings": BOOLEAN},
        "spec.secretManager.sops": {
            "publicKey": TEXT,
            **dict.fromkeys(("inPlace", "showAllKeysInListings", "showPrivateKeysInListings"), BOOLEAN),
        },
        "spec.localRegistry": {"name": TEXT, "hostPort": INTEGER, "provider": _ENGINE},
        "spec.generator": {"overwrite": BOOLEAN},
        "spec.mirrorRegistries[]": {"name": TEXT, "hostPort": INTEGER, "provider": _ENGINE, "proxy.url": TEXT},
        "spec.publication": {"publishOnUpdate": BOOLEAN},
        "spec.validation": {
            **dict.fromkeys(("validateOnUp", "reconcileOnUp", "validateOnUpdate", "reconcileOnUpdate", "verbose"), BOOLEAN),
            "lintOnUp": instead("spec.validation.validateOnUp", BOOLEAN),
            "lintOnUpdate": instead("spec.validation.validateOnUpdate", BOOLEAN),
        },
    }
)

G1 = Generation(
    "G1",
    "KSail 2 and 3",
    "ksail.io/v1alpha1",
    FIELDS,
    places={
        "name": "metadata.name",
        "kubeconfig": "spec.connection.kubeconfig",
        "context": "spec.connection.context",
        "timeout": "spec.connection.timeout",
        "distribution_config": "spec.project.distributionConfigPath",
        "source_directory": "spec.project.kustomizationPath",
        "engine": "spec.project.containerEngine",
        "distribution": "spec.project.distribution",
        "gitops_engine": "spec.project.deploymentTool",
        "cni": "spec.project.cni",
        "csi": "spec.project.csi",
        "metrics_server": "spec.project.metricsServer",
        "sops_enabled": "spec.project.secretManager",
        "sops_public_key": "spec.secretManager.sops.publicKey",
        "editor": "spec.project.editor",
    },
    words={
        "distribution": {"Kind": "Vanilla", "Native": "Vanilla", "K3d": "K3s"},
        "gitops_engine": {"Kubectl": "None"},
        "csi": {"LocalPathProvisioner": "Enabled", "None": "Disabled"},
        "metrics_server": {True: "Enabled", False: "Disabled"},
        "sops_enabled": {"SOPS": "Enabled", "None": "Disabled", True: "Enabled", False: "Disabled"},
    },
    # secretManager is None by default, but using keys in the usual places does no harm: SOPS stays Default (detect).
    defaults={"metrics_server": "Enabled"},
)
