// Package yamldoc finds objects, fields, lines and mistakes in YAML files.
package yamldoc

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// FindDocument finds the document of an object, or its item in a List; a name may have got a prefix and an object its namespace on the way,
// so the best match counts.
func FindDocument(content []byte, kind, name, namespace string) *yaml.Node {
	var best *yaml.Node
	bestScore := -1
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return best
		}
		if len(document.Content) == 0 {
			continue
		}
		for _, each := range withItems(document.Content[0]) {
			if score := likeness(each, kind, name, namespace); score > bestScore {
				best, bestScore = each, score
			}
		}
	}
}

// withItems are the object and, of a kind that ends in List, its items.
func withItems(object *yaml.Node) []*yaml.Node {
	found := []*yaml.Node{object}
	if _, kind := Child(object, "kind"); kind != nil && strings.HasSuffix(kind.Value, "List") {
		for _, item := range Items(object, "items") {
			found = append(found, withItems(item)...)
		}
	}
	return found
}

// likeness grows with what a document has in common with the object.
func likeness(node *yaml.Node, kind, name, namespace string) int {
	score := 0
	if _, own := Child(node, "kind"); own != nil && own.Value == kind {
		score += 4
	}
	_, metadata := Child(node, "metadata")
	if _, own := Child(metadata, "name"); own != nil && own.Value != "" && strings.Contains(name, own.Value) {
		score += 2
		if own.Value == name {
			score += 2
		}
	}
	if _, own := Child(metadata, "namespace"); own != nil && own.Value != "" && own.Value == namespace {
		score++
	}
	return score
}
