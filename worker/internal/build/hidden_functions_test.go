package build

import (
	"testing"

	"devloop.invalid/toolchain/worker/internal/mask"
)

func TestFunctionsOnHiddenVariables(t *testing.T) {
	values := map[string]string{"T": mask.Hide("T"), "PLAIN": "abc"}
	for text, want := range map[string]string{
		"${T:0:9} ${T^^} ${T/a/b} ${T#a} ${T%%a} ${#T}": "${T} ${T} ${T} ${T} ${T} ${T}",
		"${PLAIN:0:2} $${T:0:9} ${T:=x} ${T:-1}":        "${PLAIN:0:2} $${T:0:9} ${T:=x} ${T:-1}",
	} {
		if got := withoutFunctions(text, values); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}
