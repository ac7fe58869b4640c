package main

import (
	"strings"
)

// celMessage follows the API server: an expression that fails, is empty or has several lines counts for nothing.
func celMessage(expression *expression, text, fallback string, in *celInput) string {
	if expression != nil {
		if value, err := expression.evaluate(in); err == nil {
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
	return "failed expression: " + oneLine(fallback)
}

// The API server takes no longer message.
const longestMessage = 5 * 1024
