package schema

import (
	"encoding/json"
	"slices"
	"testing"

	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

const door = `kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Door}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {least: {type: integer, default: 3}, most: {type: integer}}
            x-kubernetes-validations: [{rule: self.least <= self.most, message: least is at most most}]
  - {name: v2, served: true}
`

func TestRulesOfADefinition(t *testing.T) {
	definition, err := json.Marshal(yamldoc.ParseObject([]byte(door)))
	if err != nil {
		t.Fatal(err)
	}
	kinds := newCustomKinds()
	kinds.add(definition, false)
	for text, want := range map[string][]string{
		"apiVersion: example.com/v1\nkind: Door\nspec: {least: 1, most: 2}":      nil,
		"apiVersion: example.com/v1\nkind: Door\nspec: {most: 2}":                {"spec breaks a rule of its definition: least is at most most"},
		"apiVersion: example.com/v2\nkind: Door\nspec: {most: 2}":                nil,
		"apiVersion: example.com/v1\nkind: Door\nspec: {most: 2, x: '**SOPS**'}": nil,
	} {
		check := func(w *validator, o object) { w.customRules(kinds.find(o.kind), o) }
		if got := messages(t, text, check); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q instead of %q", text, got, want)
		}
	}
}

func TestPathsOfTheAPIServer(t *testing.T) {
	for written, want := range map[string]string{
		"<nil>": "the object", "spec.items[0].name": "spec.items[0].name", "metadata.labels[a.b/c]": `metadata.labels["a.b/c"]`, "spec.list[1][2]": "spec.list[1][2]",
	} {
		if got := pathOf(written).String(); got != want {
			t.Errorf("%s: got %s, want %s", written, got, want)
		}
	}
}
