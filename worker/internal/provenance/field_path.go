package provenance

import (
	"encoding/json"

	"reflect"
)

// valueAt follows the steps as far as they go; it gives the value there and how many they were.
func valueAt(value any, steps []any) (any, int) {
	for depth, step := range steps {
		next, ok := stepInto(value, step)
		if !ok {
			return value, depth
		}
		value = next
	}
	return value, len(steps)
}

func stepInto(value, step any) (any, bool) {
	switch step := step.(type) {
	case string:
		fields, _ := value.(map[string]any)
		next, ok := fields[step]
		return next, ok
	case float64:
		if items, _ := value.([]any); int(step) < len(items) {
			return items[int(step)], true
		}
	case map[string]any:
		items, _ := value.([]any)
		for _, item := range items {
			if fields, ok := item.(map[string]any); ok && hasFields(fields, step) {
				return item, true
			}
		}
	}
	return nil, false
}

func hasFields(fields, wanted map[string]any) bool {
	for key, value := range wanted {
		if !reflect.DeepEqual(fields[key], value) {
			return false
		}
	}
	return true
}

func isThere(object map[string]any, field []any) bool {
	_, depth := valueAt(object, field)
	return depth == len(field)
}

func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any, nil:
		return false
	}
	return true
}

func stringAt(object map[string]any, steps ...any) (string, bool) {
	value, _ := valueAt(object, steps)
	found, ok := value.(string)
	return found, ok
}

// jsonText is a value as JSON.
func jsonText(value any) string {
	content, _ := json.Marshal(value)
	return string(content)
}
