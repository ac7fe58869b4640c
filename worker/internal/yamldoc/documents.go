// Package yamldoc finds objects, fields, lines and mistakes in YAML files.
package yamldoc

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// FindDocument finds the document of an object; a name may have got a prefix or a namespace on its way, so the best match counts.
func FindDocument(content []byte, kind, name string) *yaml.Node {
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
		if score := likeness(document.Content[0], kind, name); score > bestScore {
			best, bestScore = document.Content[0], score
		}
	}
}

// likeness grows with what a document has in common with the object.
func likeness(node *yaml.Node, kind, name string) int {
	score := 0
	if _, own := Child(node, "kind"); own != nil && own.Value == kind {
		score += 2
	}
	_, metadata := Child(node, "metadata")
	if _, own := Child(metadata, "name"); own != nil && own.Value != "" && strings.Contains(name, own.Value) {
		score++
		if own.Value == name {
			score++
		}
	}
	return score
}
