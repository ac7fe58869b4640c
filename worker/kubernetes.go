package main

import (
	"strings"
)

// groupVersionKind in the words of x-kubernetes-group-version-kind.
type groupVersionKind struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

func kindFrom(apiVersion, kind string) groupVersionKind {
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", group
	}
	return groupVersionKind{group, version, kind}
}

func (k groupVersionKind) apiVersion() string { return strings.TrimPrefix(k.Group+"/"+k.Version, "/") }
