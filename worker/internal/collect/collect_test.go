package collect

import (
	"reflect"
	"testing"
)

func TestMergeValues(t *testing.T) {
	first := map[string]any{"a": map[string]any{"b": 1, "c": []any{1, 2}}, "d": "x"}
	second := map[string]any{"a": map[string]any{"c": []any{3}}, "d": map[string]any{"e": 1}}
	want := map[string]any{"a": map[string]any{"b": 1, "c": []any{3}}, "d": map[string]any{"e": 1}}
	if got := MergeValues(first, second); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParallelKeepsTheOrder(t *testing.T) {
	items := make([]int, 1000)
	for i := range items {
		items[i] = i
	}
	for i, got := range Parallel(items, func(item int) int { return item * 2 }) {
		if got != i*2 {
			t.Fatalf("item %d: got %d", i, got)
		}
	}
}

func TestFilterGivesNilForNothing(t *testing.T) {
	if got := Filter([]string{"a"}, func(string) bool { return false }); got != nil {
		t.Errorf("got %v", got)
	}
}
