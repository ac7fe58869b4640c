package build

import (
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/provider"
)

func TestCharactersThatYAMLRefuses(t *testing.T) {
	factory := provider.NewDefaultDepProvider().GetResourceFactory()
	for char, refused := range map[rune]bool{0x93: true, 0x7f: true, 0x85: false, 0xfeff: false, 0xe9: false, 0xffff: true, 0x2028: false} {
		res, err := factory.FromMap(map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"a": "x" + string(char) + "y\n"},
		})
		if err != nil {
			t.Fatal(err)
		}
		content, err := res.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := survivesYAML(res, content); (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "ConfigMap/a") {
			t.Errorf("U+%04X: %v", char, err)
		}
	}
}
