package main

import (
	"strings"
)

func (s *subject) labelsWhenAdmitted() labelSet {
	namespace, name, _ := strings.Cut(s.owner, "/")
	set := labelSet{unknown: s.labels.unknown, others: s.labels.others, known: map[string]string{}}
	for key, value := range s.labels.known {
		set.known[key] = value
	}
	set.known["kustomize.toolkit.fluxcd.io/name"], set.known["kustomize.toolkit.fluxcd.io/namespace"] = name, namespace
	return set
}

// request is what expressions may ask about the request that creates the object. Who asks is not known here.
func (s *subject) request() map[string]any {
	kind := map[string]any{"group": s.group, "version": s.version, "kind": s.kind}
	resource := map[string]any{"group": s.group, "version": s.version, "resource": s.resource}
	request := map[string]any{
		"kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, "name": s.name, "operation": "CREATE",
		"userInfo": unknownPart, "dryRun": unknownValue, "options": unknownPart, "uid": unknownValue,
	}
	if s.namespaced {
		request["namespace"] = s.namespace
	} else if s.kind == "Namespace" && s.group == "" {
		request["namespace"] = s.name
	}
	return request
}
