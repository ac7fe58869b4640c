"""The third and current generation (KSail 5.16 and later): ksail.io/v1alpha1 with `spec.cluster`, `spec.workload`, `spec.provider`."""

from dataclasses import replace

from devloop.model.ksail.generation import Generation
from devloop.model.yaml.schema import BOOLEAN, COUNT, INTEGER, LABELS, TEXT, TEXTS, FieldSchema, instead, table, toggle, words

_DURATION = FieldSchema(pattern=r"[0-9]+(ns|us|µs|ms|s|m|h)", example="a number with one unit, like 90s, 10m or 2h")
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
        "cdi": _TRISTATE,
        "metricsServer": _TRISTATE,
        "loadBalancer": _TRISTATE,
        "certManager": toggle(),
        "imageVerification": toggle(),
        "policyEngine": words("None", "Kyverno", "Gatekeeper"),
        "gitOpsEngine": words("None", "Flux", "ArgoCD", Kubectl="None"),
        "nodeAutoscaling": instead("spec.cluster.autoscaler.node.enabled", toggle()),
        "importImages": TEXT,
        "controlPlanes": COUNT,
        "workers": COUNT,
        "kubernetesVersion": TEXT,
    },
    "spec.cluster.connection": {"kubeconfig": TEXT, "context": TEXT, "timeout": _DURATION},
    "spec.cluster.localRegistry": {
        "registry": TEXT,
        "credentials.tokenEnvVar": TEXT,
        "credentials.cliTokenEnvVar": TEXT,
        "credentials.clusterTokenEnvVar": TEXT,
    },
    "spec.cluster.sops": {
        "ageKeyEnvVar": instead("spec.cluster.sops.env.var", TEXT),
        "enabled": replace(_TRISTATE, former={"SOPS": "Enabled", "None": "Disabled"}),
        "env.var": TEXT,
        "extract.file": TEXT,
        "extract.publicKeys": TEXTS,
    },
    "spec.cluster.autoscaler.pod": {"horizontal": toggle(), "vertical": toggle()},
    "spec.cluster.autoscaler.node": {
        "enabled": toggle(),
        "maxNodesTotal": COUNT,
        "expander": FieldSchema(("text", "texts"), ("Price", "LeastWaste", "LeastNodes", "Random")),
        "scaleDownUnneededTime": TEXT,
        "scaleDownUtilizationThreshold": TEXT,
        "capacityBuffers": BOOLEAN,
        "ignoreDaemonsetsUtilization": BOOLEAN,
        "skipNodesWithLocalStorage": BOOLEAN,
        "skipNodesWithSystemPods": BOOLEAN,
    },
    "spec.cluster.autoscaler.node.pools[]": {
        "name": _POOL_NAME,
        "serverType": TEXT,
        "location": TEXT,
        "min": COUNT,
        "max": COUNT,
        "labels": LABELS,
        "taints[].key": TEXT,
        "taints[].value": TEXT,
        "taints[].effect": words("NoSchedule", "PreferNoSchedule", "NoExecute"),
    },
    "spec.cluster.oidc": {
        **dict.fromkeys(("issuerURL", "clientID", "usernameClaim", "usernamePrefix", "groupsClaim", "groupsPrefix", "caFile"), TEXT),
        "extraScopes": TEXTS,
    },
    "spec.cluster.vanilla": {"mirrorsDir": TEXT},
    "spec.cluster.talos": {
        "version": TEXT,
        "controlPlanes": instead("spec.cluster.controlPlanes", COUNT),
        "workers": instead("spec.cluster.workers", COUNT),
        "config": TEXT,
        "iso": INTEGER,
        "schematicId": TEXT,
        "extensions": TEXTS,
        "extraPortMappings[].containerPort": _PORT,
        "extraPortMappings[].hostPort": _PORT,
        "extraPortMappings[].protocol": words("TCP", "UDP"),
        "imageVerification": instead("spec.cluster.imageVerification", toggle()),
        "drainTimeout": _DURATION,
        "storageHealthTimeout": _DURATION,
    },
    "spec.cluster.eks": {
        "experimentalAWSLoadBalancerController": BOOLEAN,
        "awsLoadBalancerControllerServiceAccount": _OBJECT_NAME,
    },
}

_PROVIDER = {
    "spec.provider.hetzner": {
        **dict.fromkeys(("controlPlaneServerType", "workerServerType", "location", "networkName", "networkCidr", "sshKeyName"), TEXT),
        "tokenEnvVar": TEXT,
        "placementGroupStrategy": words("None", "Spread"),
        "placementGroup": TEXT,
        "fallbackLocations": TEXTS,
        "placementGroupFallbackToNone": BOOLEAN,
        "floatingIPEnabled": BOOLEAN,
        "floatingIPLocation": TEXT,
        "ingressFirewall": toggle(),
        "serverLimit": COUNT,
        "allowedCidrs": TEXTS,
        **dict.fromkeys(("workerPublicIPv4", "workerPublicIPv6", "controlPlanePublicIPv4", "controlPlanePublicIPv6"), BOOLEAN),
        "autoscalerNodePoolNames": TEXTS,
    },
    "spec.provider.omni": {
        **dict.fromkeys(("endpoint", "endpointEnvVar", "serviceAccountKeyEnvVar", "machineClass"), TEXT),
        "talosVersion": TEXT,
        "kubernetesVersion": TEXT,
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
        "persistence.storageClassName": TEXT,
        "persistence.size": TEXT,
    },
}

_WORKLOAD = {
    "spec.workload": {
        "sourceDirectory": TEXT,
        "validateOnPush": BOOLEAN,
        "tag": TEXT,
        "kustomizationFile": TEXT,
        "flux.operatorVersion": TEXT,
        "flux.distributionVersion": TEXT,
        "flux.verify.provider": words("cosign", "notation"),
        "flux.verify.secretRef.name": TEXT,
        "flux.verify.matchOIDCIdentity[].issuer": TEXT,
        "flux.verify.matchOIDCIdentity[].subject": TEXT,
        "watch.hooks": TEXTS,
    },
    "spec.workload.validation": {"skipKinds": TEXTS, "schemaLocations": TEXTS, "helmRender": BOOLEAN, "rules": TEXT},
    "spec.workload.scan": {"exceptions": TEXT, "frameworks": TEXTS, "complianceThreshold": INTEGER},
}

FIELDS = table(
    {
        "": {
            "apiVersion": replace(words("ksail.io/v1alpha1"), required=True),
            "kind": replace(words("Cluster"), required=True),
        },
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
