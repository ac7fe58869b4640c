package cel

import (
	"strings"
)

// Message follows the API server: an expression that fails, is empty or has several lines counts for nothing.
func Message(expression *Expression, text, fallback string, in *Input) string {
	if expression != nil {
		if value, err := expression.Evaluate(in); err == nil {
			if said, ok := value.Value().(string); ok {
				if said = strings.TrimSpace(said); said != "" && len(said) <= longestMessage && !strings.Contains(said, "\n") {
					return said
				}
			}
		}
	}
	if text != "" {
		return strings.TrimSpace(text)
	}
	return "failed expression: " + OneLine(fallback)
}

// The API server takes no longer message.
const longestMessage = 5 * 1024
