package main

import (
	"testing"
)

// A namespace that nothing renders may have any label, save that its name is one.
func TestNamespacesThatAreRenderedNowhere(t *testing.T) {
	w := newWorld(nil)
	for namespace, want := range map[string]match{"elsewhere": open, "kube-system": no} {
		s := &subject{world: w, namespace: namespace, namespaced: true}
		if got := s.namespaceLabels().has("team"); got != want {
			t.Errorf("%s: got %v, want %v", namespace, got, want)
		}
		if s.namespaceLabels().in(namespaceNameLabel, []string{namespace}) != yes {
			t.Errorf("%s has not its name as a label", namespace)
		}
	}
}
