package main

import (
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"testing"

	"github.com/google/cel-go/common/types"
	"sigs.k8s.io/yaml"
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

// What hangs on the unknown password has no verdict; what does not has the one that the API server would give.
func TestUnknownValues(t *testing.T) {
	object := fromYAML(t, `
metadata: {name: login, labels: {team: "${TEAM}"}}
data: {user: root, password: "**SOPS**"}
list: [{name: a, value: x}, {name: b, value: "**SOPS**"}]
`).(map[string]any)
	marked, partial := withUnknowns(object, []string{"/metadata/labels/team"})
	if !partial {
		t.Fatal("nothing is unknown")
	}
	for text, want := range map[string]string{
		"object.data.user == 'root'":                                           "true",
		"object.data.password == 'x'":                                          "unknown",
		"object.data.password == 'x' || object.data.user == 'root'":            "true",
		"object.data.password == 'x' && object.data.user == 'x'":               "false",
		"has(object.data.password) && !has(object.data.other)":                 "true",
		"'password' in object.data":                                            "true",
		"size(object.data) == 2":                                               "true",
		"size(object.data.password) > 8":                                       "unknown",
		"object.data.password.startsWith('a')":                                 "unknown",
		"object.data == {'user': 'root'}":                                      "unknown",
		"object.data != object.data":                                           "unknown",
		"object.metadata.labels.team in ['a', 'b']":                            "unknown",
		"object.data.user in [object.data.password, dyn('root')]":              "unknown",
		"object.list.all(i, i.name in ['a', 'b'])":                             "true",
		"object.list.all(i, i.value == 'x')":                                   "unknown",
		"object.list.exists(i, i.value == 'x')":                                "true",
		"object.list.map(i, i.name).join(',') == 'a,b'":                        "true",
		"object.list.map(i, i.value).join(',') == 'x,y'":                       "unknown",
		"object.list.filter(i, i.name == 'a')[0].value == 'x'":                 "true",
		"object.list.filter(i, i.value == 'x').size() == 1":                    "unknown",
		"object.list.map(i, i.name == 'b', i.value) == ['y']":                  "unknown",
		"(object.data.user == 'root' ? 'yes' : object.data.password) == 'yes'": "true",
		"object.missing.field == 'x'":                                          "unknown",
		"type(object.data.user) == string":                                     "true",
		"object.list.isSorted()":                                               "unknown",
		"sets.contains([object.data.user], ['root'])":                          "true",
		"sets.contains(object.list.map(i, i.value), ['x'])":                    "unknown",
		"dyn(object.list) == [1]":                                              "unknown",
		"object.?data.?password.orValue('x') == 'x'":                           "unknown",
		"object.?data.?nothing.orValue('x') == 'x'":                            "true",
		"string(object.data.password) == ''":                                   "unknown",
		"variables.secret == 'x'":                                              "unknown",
		"variables.user == 'root' || variables.secret == 'x'":                  "true",
	} {
		t.Run(text, func(t *testing.T) {
			library, err := newLibrary("1.36", declarations{})
			if err != nil {
				t.Fatal(err)
			}
			for name, expression := range map[string]string{"secret": "object.data.password", "user": "object.data.user"} {
				if fault := library.define(name, expression); fault != nil {
					t.Fatal(fault.Message)
				}
			}
			compiled, fault := library.compile(text)
			if fault != nil {
				t.Fatal(fault.Message)
			}
			if got := verdict(compiled, library.input(marked, true)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func verdict(e *expression, in *celInput) string {
	value, err := e.evaluate(in)
	switch {
	case err == errUnknown:
		return "unknown"
	case err != nil:
		return err.Error()
	case value == types.True:
		return "true"
	}
	return "false"
}

func TestFaultsHaveAPlace(t *testing.T) {
	library, err := newLibrary("1.36", declarations{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]celFault{
		"object.a &&\n  missing":       {Message: "undeclared reference to 'missing'", Line: 2, Column: 3},
		"object.spec.replicas >":       {Message: "Syntax error: mismatched input '<EOF>'", Line: 1, Column: 23},
		"size(object)":                 {Message: "it must give bool, not int"},
		"oldObject == null":            {Message: "undeclared reference to 'oldObject'", Line: 1, Column: 1},
		"namespaceObject.metadata.foo": {Message: "undefined field 'foo'", Line: 1, Column: 25},
	} {
		_, got := library.compile(text, types.BoolType)
		if got == nil || len(got.Message) < len(want.Message) || got.Message[:len(want.Message)] != want.Message || got.Line != want.Line || got.Column != want.Column {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestCostsAreLimited(t *testing.T) {
	library, _ := newLibrary("1.36", declarations{})
	compiled, fault := library.compile("object.all(a, object.all(b, object.all(c, object.all(d, a + b + c + d != 'x'))))")
	if fault != nil {
		t.Fatal(fault.Message)
	}
	many := map[string]any{}
	for i := range 60 {
		many[itoa(i)] = int64(i)
	}
	if got := verdict(compiled, library.input(many, false)); got != "operation cancelled: actual cost limit exceeded" {
		t.Error(got)
	}
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
		object, _ := withUnknowns(fromYAML(t, each.object).(map[string]any), nil)
		if got := names[overlay(object, fromYAML(t, each.pattern))]; got != each.want {
			t.Errorf("%s against %s: got %s, want %s", each.object, each.pattern, got, each.want)
		}
	}
}

func TestKindsOfKyverno(t *testing.T) {
	s := &subject{group: "apps", version: "v1", kind: "Deployment"}
	for written, want := range map[string]bool{
		"Deployment": true, "apps/v1/Deployment": true, "v1/Deployment": true, "*/Deployment": true, "apps/*/Deploy*": true, "*": true,
		"Pod": false, "batch/v1/Deployment": false, "Deployment/scale": false, "apps/v2/Deployment": false,
	} {
		if got := isOfKind(s, written); got != want {
			t.Errorf("%s: got %v", written, got)
		}
	}
}

func TestGlobs(t *testing.T) {
	for _, each := range []struct {
		glob, value string
		want        bool
	}{
		{"*", "", true}, {"?*", "", false}, {"a*c", "abc", true}, {"a*c", "abcd", false}, {"*:latest", "x/y:latest", true},
		{"a?c", "abc", true}, {"**", "x", true}, {"*a*b*", "xaxxbx", true}, {"*a*b*", "xbxxax", false}, {"a.c", "abc", false},
	} {
		if got := isLike(each.glob, each.value); got != each.want {
			t.Errorf("%s against %s: got %v", each.value, each.glob, got)
		}
	}
}

// A namespace that nothing renders may have any label, save that its name is one.
func TestNamespacesThatAreRenderedNowhere(t *testing.T) {
	w := newWorld(nil)
	for namespace, want := range map[string]match{"elsewhere": open, "kube-system": no} {
		s := &subject{world: w, namespace: namespace, namespaced: true}
		if got := s.namespaceLabels().has("team"); got != want {
			t.Errorf("%s: got %v, want %v", namespace, got, want)
		}
		if s.namespaceLabels().in(namespaceNameLabel, []string{namespace}) != yes {
			t.Errorf("%s has not its name as a label", namespace)
		}
	}
}
