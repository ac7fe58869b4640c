"""Kubernetes' built-in API groups and their cluster-scoped kinds."""

# Built-in API groups with a dot, https://kubernetes.io/docs/reference/kubernetes-api/.
_BUILT_IN = (
    "admissionregistration", "apiextensions", "apiregistration", "authentication", "rbac.authorization", "authorization", "certificates",
    "coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "networking", "node", "resource", "scheduling",
    "storage", "storagemigration"
)  # fmt: skip
# Cluster-scoped kinds of the built-in groups.
CLUSTER_SCOPED = frozenset((
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ClusterTrustBundle",
    "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule", "FlowSchema", "IPAddress", "IngressClass",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume",
    "PodSecurityPolicy", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "ServiceCIDR", "StorageClass",
    "StorageVersionMigration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    "VolumeAttachment", "VolumeAttributesClass"
))  # fmt: skip


def group_of(api_version: str) -> str:
    """'' for the core group."""
    return api_version.rpartition("/")[0]


def is_built_in(group: str) -> bool:
    return "." not in group or (group.endswith(".k8s.io") and group.removesuffix(".k8s.io") in _BUILT_IN)
