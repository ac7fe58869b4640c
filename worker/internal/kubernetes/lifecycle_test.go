package kubernetes

import "testing"

func TestAKindIsServedFromItsFirstVersionToItsLast(t *testing.T) {
	for at, want := range map[Minor]bool{9: false, 10: true, 24: true, 25: false} {
		if got := Lifecycles()[Kind{"policy", "v1beta1", "PodSecurityPolicy"}].IsServed(at); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	if !Lifecycles()[Kind{"", "v1", "Pod"}].IsServed(36) {
		t.Error("Pods are gone")
	}
}
