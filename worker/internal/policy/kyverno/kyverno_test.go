package kyverno

import (
	"testing"

	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
)

func fromYAML(t *testing.T, text string) any {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := kubejson.Unmarshal(content, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// What Kyverno's documentation of validate.pattern says.
func TestOverlays(t *testing.T) {
	names := map[outcome]string{pass: "pass", fail: "fail", skipped: "skip", undecided: "open"}
	for _, each := range []struct{ pattern, object, want string }{
		{`{a: 1}`, `{a: 1, b: 2}`, "pass"},
		{`{a: 1}`, `{a: "1"}`, "pass"},
		{`{a: 1}`, `{a: 2}`, "fail"},
		{`{a: "?*"}`, `{a: x}`, "pass"},
		{`{a: "?*"}`, `{}`, "fail"},
		{`{a: "*"}`, `{}`, "fail"},
		{`{a: "!*:latest"}`, `{a: "nginx:latest"}`, "fail"},
		{`{a: "!*:latest"}`, `{a: "nginx:1"}`, "pass"},
		{`{a: "x | z"}`, `{a: z}`, "pass"},
		{`{a: ">=2 & <=5"}`, `{a: 6}`, "fail"},
		{`{a: ">=2 & <=5"}`, `{a: 3}`, "pass"},
		{`{a: "<=1Gi"}`, `{a: 1024Mi}`, "pass"},
		{`{a: "<=1Gi"}`, `{a: 1025Mi}`, "fail"},
		{`{a: "<=1h"}`, `{a: 30m}`, "pass"},
		{`{a: "false"}`, `{a: false}`, "pass"},
		{`{a: false}`, `{a: "false"}`, "fail"},
		{`{a: null}`, `{a: 0}`, "pass"},
		{`{a: null}`, `{a: 1}`, "fail"},
		{`{"X(a)": "null"}`, `{a: 1}`, "fail"},
		{`{"X(a)": "null"}`, `{b: 1}`, "pass"},
		{`{"=(a)": {b: 1}}`, `{}`, "pass"},
		{`{"=(a)": {b: 1}}`, `{a: {b: 2}}`, "fail"},
		{`{"(a)": x, b: 1}`, `{a: z, b: 2}`, "skip"},
		{`{"(a)": x, b: 1}`, `{b: 2}`, "skip"},
		{`{"(a)": x, b: 1}`, `{a: x, b: 2}`, "fail"},
		{`{"<(a)": x, b: 1}`, `{b: 1}`, "pass"},
		{`{"<(a)": x, b: 1}`, `{a: z, b: 2}`, "skip"},
		{`{l: [{"(i)": "*:latest", p: Always}]}`, `{l: [{i: "a:latest", p: Always}, {i: "b:1", p: Never}]}`, "pass"},
		{`{l: [{"(i)": "*:latest", p: Always}]}`, `{l: [{i: "a:latest", p: Never}, {i: "b:1", p: Never}]}`, "fail"},
		{`{l: [{"(i)": "*:latest", p: Always}]}`, `{l: [{i: "b:1", p: Never}]}`, "skip"},
		{`{l: [{n: "?*"}]}`, `{l: [{n: a}, {}]}`, "fail"},
		{`{l: [{n: "?*"}]}`, `{}`, "fail"},
		{`{"^(l)": [{n: a}]}`, `{l: [{n: b}, {n: a}]}`, "pass"},
		{`{"^(l)": [{n: a}]}`, `{l: [{n: b}]}`, "fail"},
		{`{"^(l)": [{n: a}, {n: b}]}`, `{l: [{n: b}]}`, "fail"},
		{`{d: [ALL]}`, `{d: [ALL]}`, "pass"},
		{`{d: [ALL]}`, `{d: [ALL, NET]}`, "fail"},
		{`{d: {e: 1}}`, `{d: x}`, "fail"},
		{`{a: x}`, `{a: "**SOPS**"}`, "open"},
		{`{a: "*"}`, `{a: "**SOPS**"}`, "pass"},
		{`{"X(a)": "null"}`, `{a: "**SOPS**"}`, "fail"},
		{`{a: x, b: 1}`, `{a: "**SOPS**", b: 2}`, "open"},
	} {
		object, _ := cel.WithUnknowns(fromYAML(t, each.object).(map[string]any), nil)
		if got := names[overlay(object, fromYAML(t, each.pattern))]; got != each.want {
			t.Errorf("%s against %s: got %s, want %s", each.object, each.pattern, got, each.want)
		}
	}
}

func TestKindsOfKyverno(t *testing.T) {
	o := &environment.Object{Group: "apps", Version: "v1", Kind: "Deployment"}
	for written, want := range map[string]bool{
		"Deployment": true, "apps/v1/Deployment": true, "v1/Deployment": true, "*/Deployment": true, "apps/*/Deploy*": true, "*": true,
		"Pod": false, "batch/v1/Deployment": false, "Deployment/scale": false, "apps/v2/Deployment": false,
	} {
		if got := isOfKind(o, written); got != want {
			t.Errorf("%s: got %v", written, got)
		}
	}
}
