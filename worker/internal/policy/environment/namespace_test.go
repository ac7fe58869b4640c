package environment

import (
	"testing"

	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// A namespace that nothing renders may have any label, save that its name is one.
func TestNamespacesThatAreRenderedNowhere(t *testing.T) {
	env := New(nil)
	for namespace, want := range map[string]selection.Match{"elsewhere": selection.Open, "kube-system": selection.No} {
		o := &Object{Environment: env, Namespace: namespace, Namespaced: true}
		if got := o.NamespaceLabels().Has("team"); got != want {
			t.Errorf("%s: got %v, want %v", namespace, got, want)
		}
		if o.NamespaceLabels().In(namespaceNameLabel, []string{namespace}) != selection.Yes {
			t.Errorf("%s has not its name as a label", namespace)
		}
	}
}
