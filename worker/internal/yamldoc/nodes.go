package yamldoc

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Reach follows the steps all the way; the key (an item is its own) and the value there, nil where they lead nowhere.
func Reach(node *yaml.Node, steps []any) (key, value *yaml.Node) {
	key, value = node, node
	for _, step := range steps {
		if value == nil {
			return nil, nil
		}
		key, value = follow(value, step)
	}
	return key, value
}

// Items are the items of the list at a key.
func Items(node *yaml.Node, key string) []*yaml.Node {
	if _, list := Child(node, key); list != nil && list.Kind == yaml.SequenceNode {
		return list.Content
	}
	return nil
}

// Scalars are the values of the items of the list at a key.
func Scalars(node *yaml.Node, key string) (values []string) {
	for _, item := range Items(node, key) {
		values = append(values, item.Value)
	}
	return values
}

// IsBlock says whether a scalar is a literal block, whose text begins one line below.
func IsBlock(node *yaml.Node) bool { return node.Style&yaml.LiteralStyle != 0 }

// Child gives the key and the value at a key of a mapping, nil where it has none.
func Child(node *yaml.Node, key string) (*yaml.Node, *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

func follow(node *yaml.Node, step any) (key, value *yaml.Node) {
	switch step := step.(type) {
	case string:
		return Child(node, step)
	case float64:
		if node.Kind == yaml.SequenceNode && int(step) < len(node.Content) {
			return node.Content[int(step)], node.Content[int(step)]
		}
	case map[string]any:
		for _, item := range node.Content {
			if hasAll(item, step) {
				return item, item
			}
		}
	}
	return nil, nil
}

func hasAll(node *yaml.Node, fields map[string]any) bool {
	for key, wanted := range fields {
		if _, value := Child(node, key); value == nil || value.Value != fmt.Sprint(wanted) {
			return false
		}
	}
	return true
}

// Descend is the line of the field that steps lead to, or of the last one on the way that is there.
func Descend(node *yaml.Node, steps []any) int {
	line := node.Line
	for _, step := range steps {
		key, next := follow(node, step)
		if next == nil {
			break
		}
		line, node = key.Line, next
	}
	return line
}
