package build

import (
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/mask"
)

// The functions of envsubst on a variable: substring, length, case, prefix and suffix removal, replacement.
var functionOnVariable = regexp.MustCompile(`(\$+)\{(?:#(\w+)|(\w+)(?::\s*\d|[\^,#%/])[^{}]*)\}`)

// withoutFunctions removes the functions on hidden variables: a part of a hidden name cannot be revealed any more.
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

// keepHidden removes functions on hidden variables from an object.
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
		return nil // the error of the substitution itself is clearer
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
