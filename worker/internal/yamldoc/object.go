package yamldoc

import (
	kubejson "k8s.io/apimachinery/pkg/util/json"
	kubeyaml "sigs.k8s.io/yaml"
)

// ParseObject reads YAML with the types that Kubernetes copies.
func ParseObject(content []byte) (object map[string]any) {
	if text, err := kubeyaml.YAMLToJSON(content); err == nil {
		_ = kubejson.Unmarshal(text, &object)
	}
	return object
}
