package build

import (
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/mask"
)

// A function of envsubst's on a variable: a part of it, its length, its case, without a prefix, with something replaced.
var functionOnVariable = regexp.MustCompile(`(\$+)\{(?:#(\w+)|(\w+)(?::\s*\d|[\^,#%/])[^{}]*)\}`)

// withoutFunctions leaves only the name of each variable that is hidden: a part of a hidden name would be no text at all.
func withoutFunctions(text string, values map[string]string) string {
	return functionOnVariable.ReplaceAllStringFunc(text, func(found string) string {
		match := functionOnVariable.FindStringSubmatch(found)
		name := match[2] + match[3]
		if len(match[1])%2 == 0 || !strings.ContainsFunc(values[name], mask.IsHidden) {
			return found
		}
		return match[1] + "{" + name + "}"
	})
}

// keepHidden takes functions on hidden variables out of an object.
func keepHidden(res *resource.Resource, values map[string]string) error {
	if !hasHidden(values) {
		return nil
	}
	text, err := res.AsYAML()
	if err != nil {
		return err
	}
	changed := withoutFunctions(string(text), values)
	if changed == string(text) {
		return nil
	}
	content, err := yaml.YAMLToJSON([]byte(changed))
	if err != nil {
		return nil // Flux says it better
	}
	return res.UnmarshalJSON(content)
}

func hasHidden(values map[string]string) bool {
	for _, value := range values {
		if strings.ContainsFunc(value, mask.IsHidden) {
			return true
		}
	}
	return false
}
