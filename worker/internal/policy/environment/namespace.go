package environment

import (
	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

const namespaceNameLabel = "kubernetes.io/metadata.name"

// Namespaces that Kubernetes makes itself, with no label but their name.
var ownNamespaces = map[string]bool{"default": true, "kube-system": true, "kube-public": true, "kube-node-lease": true}

// NamespaceLabels are the labels of the namespace that the object is in; who makes a namespace that is rendered nowhere may label it.
func (o *Object) NamespaceLabels() selection.Labels {
	set := selection.Labels{Known: map[string]string{}, Unknown: map[string]bool{}, Others: true}
	name := o.Namespace
	if o.Kind == "Namespace" && o.Group == "" {
		name = o.Name
	}
	if rendered := o.Environment.namespaces[name]; rendered != nil {
		set.Unknown, set.Others = rendered.Labels.Unknown, rendered.Labels.Others
		for key, value := range rendered.Labels.Known {
			set.Known[key] = value
		}
	}
	set.Others = set.Others && !ownNamespaces[name]
	set.Known[namespaceNameLabel] = name
	return set
}

// NamespaceObject is the namespace that the object is in as expressions see it, nil for an object that is in none.
func (o *Object) NamespaceObject() any {
	if !o.Namespaced {
		return nil
	}
	metadata := map[string]any{"name": o.Namespace, "uid": cel.UnknownValue, "creationTimestamp": cel.UnknownValue, "resourceVersion": cel.UnknownValue}
	rendered := o.Environment.namespaces[o.Namespace]
	switch {
	case rendered != nil:
		object, _ := rendered.Manifest()
		own, _ := object["metadata"].(map[string]any)
		for _, field := range []string{"labels", "annotations"} {
			if value, ok := own[field]; ok {
				metadata[field] = value
			}
		}
		metadata["labels"] = withName(metadata["labels"], o.Namespace)
	case ownNamespaces[o.Namespace]:
		metadata["labels"] = withName(nil, o.Namespace)
	default:
		metadata["labels"], metadata["annotations"] = cel.UnknownPart, cel.UnknownPart
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
