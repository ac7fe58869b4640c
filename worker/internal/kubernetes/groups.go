// Package kubernetes knows the API groups of Kubernetes, which of its kinds are cluster-scoped, and which version has which of them.
package kubernetes

import (
	"slices"
	"strings"
)

// builtInGroups end in k8s.io, or are these; what custom resources use of k8s.io has a CustomResourceDefinition or is not known.
var builtInGroups = map[string]bool{
	"": true, "apps": true, "batch": true, "autoscaling": true, "policy": true, "networking.k8s.io": true, "rbac.authorization.k8s.io": true,
	"storage.k8s.io": true, "scheduling.k8s.io": true, "node.k8s.io": true, "coordination.k8s.io": true, "discovery.k8s.io": true,
	"apiextensions.k8s.io": true, "apiregistration.k8s.io": true, "admissionregistration.k8s.io": true, "certificates.k8s.io": true,
	"flowcontrol.apiserver.k8s.io": true, "resource.k8s.io": true, "events.k8s.io": true,
}

// IsBuiltIn says whether an API group is one of Kubernetes itself.
func IsBuiltIn(group string) bool { return builtInGroups[group] }

// The cluster-scoped kinds of Kubernetes 1.36 that a repository may hold, by group.
var clusterScoped = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume"},
	"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"storage.k8s.io":               {"StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"node.k8s.io":                  {"RuntimeClass"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"admissionregistration.k8s.io": {"*"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"resource.k8s.io":              {"DeviceClass", "ResourceSlice"},
}

// IsClusterScoped says whether a built-in kind is cluster-scoped.
func IsClusterScoped(group, kind string) bool {
	return slices.Contains(clusterScoped[group], kind) || slices.Contains(clusterScoped[group], "*")
}

// Kind in the words of x-kubernetes-group-version-kind.
type Kind struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

// ParseKind takes an apiVersion and a kind, as objects have them.
func ParseKind(apiVersion, kind string) Kind {
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", group
	}
	return Kind{group, version, kind}
}

// APIVersion is group and version as objects have them.
func (k Kind) APIVersion() string { return strings.TrimPrefix(k.Group+"/"+k.Version, "/") }
