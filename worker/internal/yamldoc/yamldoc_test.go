package yamldoc

import "testing"

const file = `apiVersion: v1
kind: ConfigMap
metadata:
  name: first
data:
  a: x
---
kind: Deployment
metadata:
  name: web
spec:
  containers:
  - name: app
    image: web:1
`

func TestFieldsHaveLines(t *testing.T) {
	for _, each := range []struct {
		kind, name string
		field      []any
		want       int
	}{
		{"ConfigMap", "first", []any{"data", "a"}, 6},
		{"ConfigMap", "prefix-first", []any{"data", "missing"}, 5},
		{"Deployment", "web", []any{"spec", "containers", float64(0), "image"}, 14},
		{"Deployment", "web", []any{"spec", "containers", map[string]any{"name": "app"}, "image"}, 14},
		{"Deployment", "web", nil, 8},
	} {
		object := FindDocument([]byte(file), each.kind, each.name, "")
		if got := Descend(object, each.field); got != each.want {
			t.Errorf("%s %v: got line %d, want %d", each.kind, each.field, got, each.want)
		}
	}
}

func TestTheNamespaceTellsObjectsOfOneNameApart(t *testing.T) {
	list := "kind: ConfigMapList\nitems:\n- kind: ConfigMap\n  metadata: {name: a, namespace: one}\n- kind: ConfigMap\n  metadata: {name: a, namespace: two}\n"
	for namespace, want := range map[string]int{"one": 3, "two": 5, "": 3} {
		if got := FindDocument([]byte(list), "ConfigMap", "a", namespace).Line; got != want {
			t.Errorf("%s: got line %d, want %d", namespace, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	for name, each := range map[string]struct {
		content, message string
		line             int
	}{
		"syntax":    {"a: 1\n---\nb: [\n", "did not find expected node content", 3},
		"duplicate": {"a: 1\nb: {c: 1, c: 2}\n", "the key c is there twice", 2},
		"key":       {"a: 1\n1: 2\n", "the key 1 must be a text", 2},
		"anchor":    {"a: &x\n  b: *x\n", "the anchor x contains itself", 2},
		"none":      {file, "", 0},
	} {
		content := []byte(each.content)
		failure := SyntaxError(name, content)
		if failure == nil {
			failure = DuplicateKey(name, content)
		}
		if failure == nil {
			failure = Unsupported(name, content)
		}
		if failure == nil {
			failure = AliasProblem(name, content)
		}
		switch {
		case failure == nil && each.message != "":
			t.Errorf("%s: nothing found", name)
		case failure != nil && (failure.Message != each.message || failure.Line != each.line):
			t.Errorf("%s: got %q in line %d", name, failure.Message, failure.Line)
		}
	}
}

func TestLineOfWord(t *testing.T) {
	content := []byte("resources:\n# - app\n- app-two\n- ../app/\n- app # here\n")
	for word, want := range map[string]int{"app": 4, "app-two": 3, "resources": 1, "none": 0, "": 0} {
		if got := LineOfWord(content, word); got != want {
			t.Errorf("%q: got %d, want %d", word, got, want)
		}
	}
}
