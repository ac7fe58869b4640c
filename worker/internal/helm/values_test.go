package helm

import (
	"reflect"
	"testing"

	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

func TestNumbersAreFloatsAsInJSON(t *testing.T) {
	values := yamldoc.ParseObject([]byte("count: 3\nlist: [1, {deep: 2.5}]\ntext: '3'\n"))
	want := map[string]any{"count": 3.0, "list": []any{1.0, map[string]any{"deep": 2.5}}, "text": "3"}
	if got := asFloats(values); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
