package yamldoc

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/protocol"
)

// SyntaxError finds the first document of a file that is no YAML, with its line in the file.
func SyntaxError(name string, content []byte) *protocol.Failure {
	var node yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		err := decoder.Decode(&node)
		if err == nil {
			continue
		}
		var line int
		message := strings.TrimPrefix(err.Error(), "yaml: ")
		if _, failed := fmt.Sscanf(message, "line %d:", &line); failed == nil {
			_, message, _ = strings.Cut(message, ": ")
		}
		if message == "EOF" {
			return nil
		}
		return &protocol.Failure{Kind: protocol.KindYAML, Message: message, Path: path.Clean(name), Line: line}
	}
}

// DuplicateKey finds the first key of a file that its mapping has already.
func DuplicateKey(name string, content []byte) *protocol.Failure {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return nil
		}
		if key := repeatedKey(&document); key != nil {
			return &protocol.Failure{Kind: protocol.KindDuplicate, Message: fmt.Sprintf("the key %s is there twice", key.Value), Path: path.Clean(name), Line: key.Line}
		}
	}
}

// Unsupported finds what is YAML and still no object: keys that are no texts, merges of what is no mapping, values that do not fit their tag.
func Unsupported(name string, content []byte) *protocol.Failure {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return nil
		}
		if line, message, hint := odd(&document); line > 0 {
			return &protocol.Failure{Kind: protocol.KindYAML, Message: message, Hint: hint, Path: path.Clean(name), Line: line}
		}
	}
}

func odd(node *yaml.Node) (line int, message, hint string) {
	for i, item := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			if line, message, hint = oddKey(item, node.Content[i+1]); line > 0 {
				return line, message, hint
			}
		}
		if line, message, hint = odd(item); line > 0 {
			return line, message, hint
		}
	}
	var value any
	if node.Kind == yaml.ScalarNode && node.Style&yaml.TaggedStyle != 0 && strings.HasPrefix(node.Tag, "!!") && node.Decode(&value) != nil {
		return node.Line, fmt.Sprintf("the value is no %s, as its tag says", node.Tag), ""
	}
	return 0, "", ""
}

func oddKey(key, value *yaml.Node) (line int, message, hint string) {
	switch tag := key.ShortTag(); {
	case key.Kind != yaml.ScalarNode && key.Kind != yaml.AliasNode:
		return key.Line, "a key is a list or a mapping, it must be a text", ""
	case tag == "!!merge" && value.Kind != yaml.MappingNode && value.Kind != yaml.AliasNode && value.Kind != yaml.SequenceNode:
		return key.Line, "the value of << must be a mapping", ""
	case tag != "!!str" && tag != "!!merge" && key.Kind == yaml.ScalarNode:
		return key.Line, fmt.Sprintf("the key %s must be a text", key.Value), fmt.Sprintf("put it in quotes: %q", key.Value)
	}
	return 0, "", ""
}

// UnknownAnchor finds the alias that a message of the reader names.
func UnknownAnchor(text string) func(string, []byte) *protocol.Failure {
	_, name, _ := strings.Cut(text, "unknown anchor '")
	name, _, _ = strings.Cut(name, "'")
	return func(file string, content []byte) *protocol.Failure {
		line := LineOfText(content, "*"+name)
		if line == 0 {
			return nil
		}
		return &protocol.Failure{Kind: protocol.KindYAML, Message: fmt.Sprintf("there is no anchor &%s before *%s", name, name), Path: path.Clean(file), Line: line}
	}
}

func repeatedKey(node *yaml.Node) *yaml.Node {
	seen := map[string]bool{}
	for i, item := range node.Content {
		if isKey := node.Kind == yaml.MappingNode && i%2 == 0; isKey && item.Value != "<<" {
			if seen[item.Value] {
				return item
			}
			seen[item.Value] = true
		}
		if found := repeatedKey(item); found != nil {
			return found
		}
	}
	return nil
}
