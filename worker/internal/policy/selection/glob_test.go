package selection

import (
	"testing"
)

func TestGlobs(t *testing.T) {
	for _, each := range []struct {
		glob, value string
		want        bool
	}{
		{"*", "", true}, {"?*", "", false}, {"a*c", "abc", true}, {"a*c", "abcd", false}, {"*:latest", "x/y:latest", true},
		{"a?c", "abc", true}, {"**", "x", true}, {"*a*b*", "xaxxbx", true}, {"*a*b*", "xbxxax", false}, {"a.c", "abc", false},
	} {
		if got := Glob(each.glob, each.value); got != each.want {
			t.Errorf("%s against %s: got %v", each.value, each.glob, got)
		}
	}
}
