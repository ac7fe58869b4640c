"""The third and current generation (KSail 5.16 and later): ksail.io/v1alpha1 with `spec.cluster`, `spec.workload`, `spec.provider`."""

from dataclasses import replace

from devloop.model.ksail.generation import Generation
from devloop.model.kubernetes.duration import DURATION
from devloop.model.yaml.schema import BOOLEAN, COUNT, INTEGER, LABELS, TEXT, TEXTS, FieldSchema, instead, table, toggle, words

# As Go reads durations, although KSail's JSON schema allows one number and one unit.
_DURATION = FieldSchema(pattern=DURATION, example="a duration like 90s, 10m or 1h30m")
_NAME = FieldSchema(pattern=r"[a-z]([a-z0-9-]*[a-z0-9])?", longest=63, example="lower case letters, digits and dashes, a letter first")
_POOL_NAME = replace(_NAME, pattern=r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", example="lower case letters, digits and dashes")
_OBJECT_NAME = replace(_POOL_NAME, pattern=rf"{_POOL_NAME.pattern}(\.{_POOL_NAME.pattern})*", longest=253, example="a Kubernetes name")
_DISTRIBUTION = words("Vanilla", "K3s", "Talos", "VCluster", "KWOK", "EKS", "GKE", "AKS")
_TRISTATE = toggle("Default", "Enabled", "Disabled")
_PORT = FieldSchema(("integer",), lowest=0, highest=65535)

_CLUSTER = {
    "spec.cluster": {
        "distributionConfig": TEXT,
        "distribution": replace(_DISTRIBUTION, former={"Kind": "Vanilla", "Native": "Vanilla", "K3d": "K3s"}),
        "provider": words("Docker", "Hetzner", "Omni", "AWS", "GCP", "Azure", "Kubernetes"),
        "cni": words("Default", "Cilium", "Calico"),
        "csi": replace(_TRISTATE, former={"LocalPathProvisioner": "Enabled", "LocalPathStorage": "Enabled", "None": "Disabled"}),
        **dict.fromkeys(("cdi", "metricsServer", "loadBalancer"), _TRISTATE),
        **dict.fromkeys(("certManager", "imageVerification"), toggle()),
        "policyEngine": words("None", "Kyverno", "Gatekeeper"),
        "gitOpsEngine": words("None", "Flux", "ArgoCD", Kubectl="None"),
        "nodeAutoscaling": instead("spec.cluster.autoscaler.node.enabled", toggle()),
        **dict.fromkeys(("importImages", "kubernetesVersion"), TEXT),
        **dict.fromkeys(("controlPlanes", "workers"), COUNT),
    },
    "spec.cluster.connection": {"kubeconfig": TEXT, "context": TEXT, "timeout": _DURATION},
    "spec.cluster.localRegistry": {"registry": TEXT},
    "spec.cluster.localRegistry.credentials": dict.fromkeys(("tokenEnvVar", "cliTokenEnvVar", "clusterTokenEnvVar"), TEXT),
    "spec.cluster.sops": {
        "ageKeyEnvVar": instead("spec.cluster.sops.env.var", TEXT),
        "enabled": replace(_TRISTATE, former={"SOPS": "Enabled", "None": "Disabled"}),
        **dict.fromkeys(("env.var", "extract.file"), TEXT),
        "extract.publicKeys": TEXTS,
    },
    "spec.cluster.autoscaler.pod": {"horizontal": toggle(), "vertical": toggle()},
    "spec.cluster.autoscaler.node": {
        "enabled": toggle(),
        "maxNodesTotal": COUNT,
        "expander": FieldSchema(("text", "texts"), ("Price", "LeastWaste", "LeastNodes", "Random")),
        **dict.fromkeys(("scaleDownUnneededTime", "scaleDownUtilizationThreshold"), TEXT),
        **dict.fromkeys(
            ("capacityBuffers", "ignoreDaemonsetsUtilization", "skipNodesWithLocalStorage", "skipNodesWithSystemPods"), BOOLEAN
        ),
    },
    "spec.cluster.autoscaler.node.pools[]": {
        "name": _POOL_NAME,
        **dict.fromkeys(("serverType", "location", "taints[].key", "taints[].value"), TEXT),
        **dict.fromkeys(("min", "max"), COUNT),
        "labels": LABELS,
        "taints[].effect": words("NoSchedule", "PreferNoSchedule", "NoExecute"),
    },
    "spec.cluster.oidc": {
        **dict.fromkeys(("issuerURL", "clientID", "usernameClaim", "usernamePrefix", "groupsClaim", "groupsPrefix", "caFile"), TEXT),
        "extraScopes": TEXTS,
    },
    "spec.cluster.vanilla": {"mirrorsDir": TEXT},
    "spec.cluster.talos": {
        **dict.fromkeys(("version", "config", "schematicId"), TEXT),
        "controlPlanes": instead("spec.cluster.controlPlanes", COUNT),
        "workers": instead("spec.cluster.workers", COUNT),
        "iso": INTEGER,
        "extensions": TEXTS,
        **dict.fromkeys(("extraPortMappings[].containerPort", "extraPortMappings[].hostPort"), _PORT),
        "extraPortMappings[].protocol": words("TCP", "UDP"),
        "imageVerification": instead("spec.cluster.imageVerification", toggle()),
        **dict.fromkeys(("drainTimeout", "storageHealthTimeout"), _DURATION),
    },
    "spec.cluster.eks": {"experimentalAWSLoadBalancerController": BOOLEAN, "awsLoadBalancerControllerServiceAccount": _OBJECT_NAME},
}

_PROVIDER = {
    "spec.provider.hetzner": {
        **dict.fromkeys(("controlPlaneServerType", "workerServerType", "location", "networkName", "networkCidr", "sshKeyName"), TEXT),
        **dict.fromkeys(("tokenEnvVar", "placementGroup", "floatingIPLocation"), TEXT),
        **dict.fromkeys(("fallbackLocations", "allowedCidrs", "autoscalerNodePoolNames"), TEXTS),
        **dict.fromkeys(("workerPublicIPv4", "workerPublicIPv6", "controlPlanePublicIPv4", "controlPlanePublicIPv6"), BOOLEAN),
        **dict.fromkeys(("placementGroupFallbackToNone", "floatingIPEnabled"), BOOLEAN),
        "placementGroupStrategy": words("None", "Spread"),
        "ingressFirewall": toggle(),
        "serverLimit": COUNT,
    },
    "spec.provider.omni": {
        **dict.fromkeys(
            ("endpoint", "endpointEnvVar", "serviceAccountKeyEnvVar", "machineClass", "talosVersion", "kubernetesVersion"), TEXT
        ),
        "machines": TEXTS,
    },
    "spec.provider.aws": dict.fromkeys(
        ("profileEnvVar", "regionEnvVar", "accessKeyIdEnvVar", "secretAccessKeyEnvVar", "sessionTokenEnvVar"), TEXT
    ),
    "spec.provider.gcp": {"projectEnvVar": TEXT, "locationEnvVar": TEXT},
    "spec.provider.azure": {"subscriptionIdEnvVar": TEXT, "resourceGroupEnvVar": TEXT},
    "spec.provider.kubernetes": {
        **dict.fromkeys(("kubeconfig", "kubeconfigEnvVar", "context", "contextEnvVar", "gatewayClassName", "podCidr", "serviceCidr"), TEXT),
        "persistence.enabled": BOOLEAN,
        **dict.fromkeys(("persistence.storageClassName", "persistence.size"), TEXT),
    },
}

_WORKLOAD = {
    "spec.workload": {
        "validateOnPush": BOOLEAN,
        **dict.fromkeys(("sourceDirectory", "tag", "kustomizationFile", "flux.operatorVersion", "flux.distributionVersion"), TEXT),
        "watch.hooks": TEXTS,
    },
    "spec.workload.flux.verify": {
        "provider": words("cosign", "notation"),
        **dict.fromkeys(("secretRef.name", "matchOIDCIdentity[].issuer", "matchOIDCIdentity[].subject"), TEXT),
    },
    "spec.workload.validation": {"skipKinds": TEXTS, "schemaLocations": TEXTS, "helmRender": BOOLEAN, "rules": TEXT},
    "spec.workload.scan": {"exceptions": TEXT, "frameworks": TEXTS, "complianceThreshold": INTEGER},
}

FIELDS = table(
    {
        "": {"apiVersion": replace(words("ksail.io/v1alpha1"), required=True), "kind": replace(words("Cluster"), required=True)},
        "metadata": {"name": _NAME},
        "spec": {"editor": TEXT},
        **_CLUSTER,
        **_PROVIDER,
        **_WORKLOAD,
        "spec.chat": {"model": TEXT, "reasoningEffort": words("low", "medium", "high")},
    }
)

G3 = Generation(
    "G3",
    "KSail 5.16 and later",
    "ksail.io/v1alpha1",
    FIELDS,
    places={
        "name": "metadata.name",
        "kubeconfig": "spec.cluster.connection.kubeconfig",
        "context": "spec.cluster.connection.context",
        "timeout": "spec.cluster.connection.timeout",
        "distribution": "spec.cluster.distribution",
        "distribution_config": "spec.cluster.distributionConfig",
        "provider": "spec.cluster.provider",
        # Where the container engine of G1 went.
        "engine": "spec.cluster.provider",
        "source_directory": "spec.workload.sourceDirectory",
        "entry_path": "spec.workload.kustomizationFile",
        "gitops_engine": "spec.cluster.gitOpsEngine",
        "cni": "spec.cluster.cni",
        "csi": "spec.cluster.csi",
        "metrics_server": "spec.cluster.metricsServer",
        "cert_manager": "spec.cluster.certManager",
        "load_balancer": "spec.cluster.loadBalancer",
        "policy_engine": "spec.cluster.policyEngine",
        "kubernetes_version": "spec.cluster.kubernetesVersion",
        "control_planes": "spec.cluster.controlPlanes",
        "workers": "spec.cluster.workers",
        "talos_control_planes": "spec.cluster.talos.controlPlanes",
        "talos_workers": "spec.cluster.talos.workers",
        "port_mappings": "spec.cluster.talos.extraPortMappings",
        "sops_enabled": "spec.cluster.sops.enabled",
        "sops_env_var": "spec.cluster.sops.env.var",
        "sops_old_env_var": "spec.cluster.sops.ageKeyEnvVar",
        "sops_key_file": "spec.cluster.sops.extract.file",
        "sops_public_keys": "spec.cluster.sops.extract.publicKeys",
        "local_registry": "spec.cluster.localRegistry",
        "editor": "spec.editor",
    },
)
