// Package kubernetes knows the API groups of Kubernetes and which of its kinds are cluster-scoped.
package kubernetes

import (
	"strings"
)

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
