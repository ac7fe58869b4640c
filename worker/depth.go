package main

import (
	"encoding/json"
	"fmt"
)

// Deeper than any object, and not as deep as other readers of JSON go.
const maxDepth = 200

func isTooDeep(object json.RawMessage) bool {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(object); i++ {
		switch letter := object[i]; {
		case quoted && letter == '\\':
			i++
		case letter == '"':
			quoted = !quoted
		case quoted:
		case letter == '{' || letter == '[':
			depth++
			deepest = max(deepest, depth)
		case letter == '}' || letter == ']':
			depth--
		}
	}
	return deepest > maxDepth
}

func tooDeep(name, origin string) *failure {
	return &failure{Kind: kindUnknown, Message: fmt.Sprintf("%s is nested more than %d levels deep", name, maxDepth), Path: origin}
}
