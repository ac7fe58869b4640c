package helm

import (
	"regexp"
	"slices"

	chart "helm.sh/helm/v4/pkg/chart/v2"

	"devloop.invalid/toolchain/worker/internal/mask"
)

// Functions of templates that give something else each time.
var changing = regexp.MustCompile(`\b(rand\w+|gen[A-Z]\w+|uuidv4|now|ago|date\w*|htpasswd|bcrypt|shuffle|encryptAES)\b`)

func isChanging(loaded *chart.Chart) bool {
	for _, template := range loaded.Templates {
		if changing.Match(template.Data) {
			return true
		}
	}
	return slices.ContainsFunc(loaded.Dependencies(), isChanging)
}

// markGenerated puts unknowns where two renderings differ: what a chart generates each time is not worth showing.
func markGenerated(first, second any) any {
	switch value := first.(type) {
	case map[string]any:
		other, _ := second.(map[string]any)
		for key, item := range value {
			value[key] = markGenerated(item, other[key])
		}
		return value
	case []any:
		other, _ := second.([]any)
		for i := range value {
			if i < len(other) {
				value[i] = markGenerated(value[i], other[i])
			}
		}
		return value
	}
	if first != second {
		return mask.Hide("generated")
	}
	return first
}

func markAllGenerated(first, second []releaseObject) []releaseObject {
	for i := range first {
		if i < len(second) {
			first[i].object, _ = markGenerated(first[i].object, second[i].object).(map[string]any)
		}
	}
	return first
}
