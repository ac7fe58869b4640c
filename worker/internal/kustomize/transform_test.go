package kustomize

import (
	"strings"
	"testing"
)

func TestMetadataIsAddedToEveryObject(t *testing.T) {
	one := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
	made, err := AddMetadata([]byte(one), map[string]string{"team": "web"}, map[string]string{"note": "x"})
	if err != nil || !strings.Contains(string(made), "labels:\n    team: web") || !strings.Contains(string(made), "annotations:\n    note: x") {
		t.Errorf("got %s, %v", made, err)
	}
	if _, err := AddMetadata([]byte(one+"---\n"+one), nil, nil); err == nil {
		t.Error("an object that is there twice passes")
	}
	if _, err := AddMetadata([]byte("apiVersion: v1\nkind: ConfigMap\n"), nil, nil); err == nil {
		t.Error("an object without a name passes")
	}
}
