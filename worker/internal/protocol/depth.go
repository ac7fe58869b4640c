package protocol

import (
	"encoding/json"
	"fmt"
)

// Deeper than any object, and not as deep as other readers of JSON go.
const maxDepth = 200

// IsTooDeep says whether an object, as JSON, is nested deeper than the other side reads.
func IsTooDeep(object json.RawMessage) bool {
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

// TooDeep is the failure for an object that is too deep.
func TooDeep(name, origin string) *Failure {
	return &Failure{Kind: KindUnknown, Message: fmt.Sprintf("%s is nested more than %d levels deep", name, maxDepth), Path: origin}
}
