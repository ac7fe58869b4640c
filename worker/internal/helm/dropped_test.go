package helm

import "testing"

func TestHooksThatHelmDoesNotKnow(t *testing.T) {
	for annotation, want := range map[string]bool{
		"pre-install": false, "Pre-Install, test": false, "test-success": false, "pre-instal": true, "test,pre-sync": true, "": true,
	} {
		text := "kind: Job\nmetadata: {name: a, annotations: {helm.sh/hook: \"" + annotation + "\"}}\n"
		if head, value := unknownHook(text); (head != nil) != want || head != nil && value != annotation {
			t.Errorf("%q: got %v, %q", annotation, head, value)
		}
	}
	if head, _ := unknownHook("kind: Job\nmetadata: {name: a, annotations: {helm.sh/hook-weight: \"1\"}}\n"); head != nil {
		t.Error("a weight alone makes no hook")
	}
}
