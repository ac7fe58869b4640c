package provenance

import (
	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// settingsOfRelease are what the HelmRelease does to the objects of its chart, in the order in which it is done.
func settingsOfRelease(of scope.Repeatable) settings {
	own, spec := ownText(of.Object)
	if spec == nil {
		return nil
	}
	reader := newSettingsReader(of.View)
	_, values := yamldoc.Child(spec, "values")
	reader.values(own, leaves(values))
	reader.value("targetNamespace", own, spec, "targetNamespace", lastIs("namespace"))
	for _, renderer := range yamldoc.Items(spec, "postRenderers") {
		_, kustomize := yamldoc.Child(renderer, "kustomize")
		reader.patches("", own, kustomize, "patches")
		reader.images(own, kustomize)
	}
	return reader.made
}

// Each trial renders the chart: with more values that may be the one, it would take seconds, and then nothing is said.
const maxEqualValues = 20

// values may be a field as a whole. Where a field is composed of several values, it is not known which one is meant.
func (r *settingsReader) values(in *text, leaves []*yaml.Node) {
	r.made = append(r.made, setting{sets: func(object map[string]any, field []any) (edits []*edit) {
		value, _ := valueAt(object, field)
		for _, leaf := range leaves {
			if text, ok := value.(string); leaf.Value == text || !ok && leaf.Value == jsonText(value) {
				edits = append(edits, another("values", in, leaf))
			}
		}
		if len(edits) > maxEqualValues {
			return nil
		}
		return edits
	}})
}

// leaves are the scalars in a node.
func leaves(node *yaml.Node) (found []*yaml.Node) {
	switch {
	case node == nil:
	case node.Kind == yaml.ScalarNode:
		found = append(found, node)
	case node.Kind == yaml.MappingNode:
		for i := 1; i < len(node.Content); i += 2 {
			found = append(found, leaves(node.Content[i])...)
		}
	default:
		for _, item := range node.Content {
			found = append(found, leaves(item)...)
		}
	}
	return found
}
