package cel

import (
	"strconv"
	"testing"

	"github.com/google/cel-go/common/types"
	kubejson "k8s.io/apimachinery/pkg/util/json"
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

// What depends on the unknown password has no verdict; what does not has the one that the API server would give.
func TestUnknownValues(t *testing.T) {
	object := fromYAML(t, `
metadata: {name: login, labels: {team: "${TEAM}"}}
data: {user: root, password: "**SOPS**"}
list: [{name: a, value: x}, {name: b, value: "**SOPS**"}]
`).(map[string]any)
	marked, partial := WithUnknowns(object, []string{"/metadata/labels/team"})
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
			library, err := NewLibrary("1.36", Declarations{})
			if err != nil {
				t.Fatal(err)
			}
			for name, expression := range map[string]string{"secret": "object.data.password", "user": "object.data.user"} {
				if fault := library.Define(name, expression); fault != nil {
					t.Fatal(fault.Message)
				}
			}
			compiled, fault := library.Compile(text)
			if fault != nil {
				t.Fatal(fault.Message)
			}
			if got := verdict(compiled, library.Input(marked, true)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func verdict(e *Expression, in *Input) string {
	value, err := e.Evaluate(in)
	switch {
	case err == ErrUnknown:
		return "unknown"
	case err != nil:
		return err.Error()
	case value == types.True:
		return "true"
	}
	return "false"
}

func TestFaultsHaveAPlace(t *testing.T) {
	library, err := NewLibrary("1.36", Declarations{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]CompileError{
		"object.a &&\n  missing":       {Message: "undeclared reference to 'missing'", Line: 2, Column: 3},
		"object.spec.replicas >":       {Message: "Syntax error: mismatched input '<EOF>'", Line: 1, Column: 23},
		"size(object)":                 {Message: "it must give bool, not int"},
		"oldObject == null":            {Message: "undeclared reference to 'oldObject'", Line: 1, Column: 1},
		"namespaceObject.metadata.foo": {Message: "undefined field 'foo'", Line: 1, Column: 25},
	} {
		_, got := library.Compile(text, types.BoolType)
		if got == nil || len(got.Message) < len(want.Message) || got.Message[:len(want.Message)] != want.Message || got.Line != want.Line || got.Column != want.Column {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestCostsAreLimited(t *testing.T) {
	library, _ := NewLibrary("1.36", Declarations{})
	compiled, fault := library.Compile("object.all(a, object.all(b, object.all(c, object.all(d, a + b + c + d != 'x'))))")
	if fault != nil {
		t.Fatal(fault.Message)
	}
	many := map[string]any{}
	for i := range 60 {
		many[strconv.Itoa(i)] = int64(i)
	}
	if got := verdict(compiled, library.Input(many, false)); got != "operation cancelled: actual cost limit exceeded" {
		t.Error(got)
	}
}
