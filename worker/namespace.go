package main

const namespaceNameLabel = "kubernetes.io/metadata.name"

// Namespaces that Kubernetes makes itself, with no label but their name.
var ownNamespaces = map[string]bool{"default": true, "kube-system": true, "kube-public": true, "kube-node-lease": true}

// namespaceLabels are the labels of the namespace that the object is in; who makes a namespace that is rendered nowhere may label it.
func (s *subject) namespaceLabels() labelSet {
	set := labelSet{known: map[string]string{}, unknown: map[string]bool{}, others: true}
	name := s.namespace
	if s.kind == "Namespace" && s.group == "" {
		name = s.name
	}
	if rendered := s.world.namespaces[name]; rendered != nil {
		set.unknown, set.others = rendered.labels.unknown, rendered.labels.others
		for key, value := range rendered.labels.known {
			set.known[key] = value
		}
	}
	set.others = set.others && !ownNamespaces[name]
	set.known[namespaceNameLabel] = name
	return set
}

// namespaceObject is the namespace that the object is in as expressions see it, nil for an object that is in none.
func (s *subject) namespaceObject() any {
	if !s.namespaced {
		return nil
	}
	metadata := map[string]any{"name": s.namespace, "uid": unknownValue, "creationTimestamp": unknownValue, "resourceVersion": unknownValue}
	rendered := s.world.namespaces[s.namespace]
	switch {
	case rendered != nil:
		object, _ := rendered.manifest()
		own, _ := object["metadata"].(map[string]any)
		for _, field := range []string{"labels", "annotations"} {
			if value, ok := own[field]; ok {
				metadata[field] = value
			}
		}
		metadata["labels"] = withName(metadata["labels"], s.namespace)
	case ownNamespaces[s.namespace]:
		metadata["labels"] = withName(nil, s.namespace)
	default:
		metadata["labels"], metadata["annotations"] = unknownPart, unknownPart
	}
	spec := map[string]any{"finalizers": []any{"kubernetes"}}
	return map[string]any{"metadata": metadata, "spec": spec, "status": map[string]any{"phase": "Active"}}
}

func withName(labels any, name string) any {
	known, isMap := labels.(map[string]any)
	if labels != nil && !isMap {
		return labels
	}
	result := map[string]any{namespaceNameLabel: name}
	for key, value := range known {
		result[key] = value
	}
	return result
}
