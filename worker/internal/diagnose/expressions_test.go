package diagnose

import "testing"

func TestExpressionsThatEnvsubstRefuses(t *testing.T) {
	for text, want := range map[string]struct {
		found string
		line  int
	}{
		"a: ${A}\nb: ${#files[@]} $${x,,}\n": {"${#files[@]}", 2},
		"a: ${x-d}\n":                        {"${x-d}", 1},
		"a: $${x-d} ${A:0:2}\n# ${x-d}\n":    {"", 0},
	} {
		if found, line := brokenExpression([]byte(text)); found != want.found || line != want.line {
			t.Errorf("%q: got %q in line %d", text, found, line)
		}
	}
}
