package build

import (
	"reflect"
	"testing"
)

func TestWhatIdentifiesAnObjectIsShown(t *testing.T) {
	sealed := map[string]any{
		"kind": "ENC", "apiVersion": "ENC", "type": "ENC", "data": map[string]any{"a": "ENC"},
		"metadata": map[string]any{"name": "ENC", "namespace": "ENC", "labels": map[string]any{"a": "ENC"}},
	}
	want := map[string]any{"data": map[string]any{"a": "ENC"}, "metadata": map[string]any{"labels": map[string]any{"a": "ENC"}}}
	if got := withoutIdentity(sealed); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if metadata := sealed["metadata"].(map[string]any); sealed["kind"] != "ENC" || metadata["name"] != "ENC" {
		t.Error("the object itself has changed")
	}
}
