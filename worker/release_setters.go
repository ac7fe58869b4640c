package main

import "gopkg.in/yaml.v3"

// tried renders once more, from another HelmRelease where there is one; what it takes values from stays as it is.
func (w *release) tried(files map[string][]byte) (made assembly) {
	again := &release{session: w.session, request: w.request, object: w.object, view: w.view.tree.view(), sources: w.sources}
	for name, content := range files {
		if again.object.Object = objectOf(content); name != "" || again.object.Object == nil {
			return nil
		}
	}
	objects, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, each := range objects {
		made = append(made, &assembled{origin: each.origin, content: each.object})
	}
	return made
}

// settings are what the HelmRelease does to the objects of its chart, in the order in which it is done.
func (w *release) settings() settings {
	own, spec := ownText(w.object.Object)
	if spec == nil {
		return nil
	}
	reader := newSettingsReader(w.view)
	_, values := child(spec, "values")
	reader.values(own, leaves(values))
	reader.value("targetNamespace", own, spec, "targetNamespace", lastIs("namespace"))
	for _, renderer := range items(spec, "postRenderers") {
		_, kustomize := child(renderer, "kustomize")
		reader.patches("", own, kustomize, "patches")
		reader.images(own, kustomize)
	}
	return reader.made
}

// Each trial renders the chart: with more values that may be the one, it would take seconds, and then nothing is said.
const mostAlike = 20

// values may be a field as a whole. Of what is put together from several, nobody knows which one is meant.
func (r *settingsReader) values(in *text, leaves []*yaml.Node) {
	r.made = append(r.made, setting{sets: func(object map[string]any, field []any) (edits []*edit) {
		value, _ := valueAt(object, field)
		for _, leaf := range leaves {
			if text, ok := value.(string); leaf.Value == text || !ok && leaf.Value == jsonOf(value) {
				edits = append(edits, another("values", in, leaf))
			}
		}
		if len(edits) > mostAlike {
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
