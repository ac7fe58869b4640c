package protocol

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schema is protocol.json. A type is written as in it: "[Place]" is a list, "{string}" a map with strings as keys, a "?" at the end says that
// the field may be left out.
type schema struct {
	Requests map[string]struct{ Request, Result string }
	Types    map[string]map[string]string
	Values   map[string][]string
}

func readSchema(t *testing.T) schema {
	t.Helper()
	content, err := os.ReadFile("protocol.json")
	if err != nil {
		t.Fatal(err)
	}
	var found schema
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// results are the types of the results, by request. Request itself has those of the requests.
var results = map[string]reflect.Type{
	"open": nil, "preload": nil,
	"build":      reflect.TypeFor[BuildResult](),
	"releases":   reflect.TypeFor[[]BuildResult](),
	"decryption": reflect.TypeFor[[]DecryptionResult](),
	"locate":     reflect.TypeFor[[]Location](),
	"policies":   reflect.TypeFor[[]PolicyResult](),
	"schemas":    reflect.TypeFor[[]SchemaResult](),
	"patches":    reflect.TypeFor[[]PatchResult](),
	"lint":       reflect.TypeFor[[]LintFinding](),
	"redact":     reflect.TypeFor[[]string](),
}

// describer writes types as protocol.json does, and collects the structs among them.
type describer map[string]map[string]string

func (d describer) describe(of reflect.Type) string {
	switch {
	case of == nil:
		return ""
	case of == reflect.TypeFor[json.RawMessage](), of == reflect.TypeFor[map[string]any]():
		return "object"
	case of.Kind() == reflect.Pointer:
		return d.describe(of.Elem())
	case of.Kind() == reflect.Slice:
		return "[" + d.describe(of.Elem()) + "]"
	case of.Kind() == reflect.Map:
		return "{" + d.describe(of.Elem()) + "}"
	case of.Kind() == reflect.Interface:
		return "any"
	case of.Kind() == reflect.Struct:
		d.add(of)
		return of.Name()
	case of.PkgPath() != "": // one of the closed sets
		return of.Name()
	}
	return map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Bool: "boolean"}[of.Kind()]
}

func (d describer) add(of reflect.Type) {
	if d[of.Name()] != nil {
		return
	}
	fields := map[string]string{}
	d[of.Name()] = fields
	for i := range of.NumField() {
		name, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		fields[name] = d.describe(of.Field(i).Type)
		if options == "omitempty" {
			fields[name] += "?"
		}
	}
}

func TestTypesAreThoseOfTheProtocol(t *testing.T) {
	want := readSchema(t)
	types := describer{}
	types.add(reflect.TypeFor[Failure]())
	requests := map[string]struct{ Request, Result string }{}
	for i := range reflect.TypeFor[Request]().NumField() {
		field := reflect.TypeFor[Request]().Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "id" {
			requests[name] = struct{ Request, Result string }{types.describe(field.Type), types.describe(results[name])}
		}
	}
	if !reflect.DeepEqual(requests, want.Requests) {
		t.Errorf("requests: got %v, want %v", requests, want.Requests)
	}
	for name, field := range map[string]string{"BuildResult": "objects", "BuiltObject": "body"} { // BuildResult.Encode always writes them
		types[name][field] = strings.TrimSuffix(types[name][field], "?")
	}
	for name := range maps.Keys(types) {
		if !reflect.DeepEqual(types[name], want.Types[name]) {
			t.Errorf("%s: got %v, want %v", name, types[name], want.Types[name])
		}
	}
	if got, listed := slices.Sorted(maps.Keys(types)), slices.Sorted(maps.Keys(want.Types)); !slices.Equal(got, listed) {
		t.Errorf("got the types %v, want %v", got, listed)
	}
}

// constants are the values of every string type of the package, read from its source: reflection knows no constants.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, name := range []string{"answers.go", "failure.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			named, isNamed := spec.Type.(*ast.Ident)
			value, isLiteral := spec.Values[0].(*ast.BasicLit)
			if isNamed && isLiteral {
				text, err := strconv.Unquote(value.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[named.Name] = append(found[named.Name], text)
			}
			return true
		})
	}
	for _, values := range found {
		slices.Sort(values)
	}
	return found
}

func TestConstantsAreThoseOfTheProtocol(t *testing.T) {
	if got, want := constants(t), readSchema(t).Values; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnAnswerIsJSON(t *testing.T) {
	built := &BuildResult{Directory: "app", Files: []string{"app/a.yaml"}, Encrypted: []string{}}
	built.Objects = []BuiltObject{{Body: json.RawMessage(`{"kind":"A"}`), Origin: "app/a.yaml"}, {Body: json.RawMessage(`{}`), Origin: "b", Line: 2}}
	encoded, bodies := built.Encode()
	if len(bodies) != 2 || string(encoded[bodies[0].From:bodies[0].To]) != `{"kind":"A"}` {
		t.Errorf("the bodies are not where they should be: %v", bodies)
	}
	line, err := Answer{ID: 7, Result: encoded}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		ID     int
		Result BuildResult
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.ID != 7 || len(answer.Result.Objects) != 2 || answer.Result.Objects[1].Line != 2 {
		t.Errorf("got %s", line)
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth):     false,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1): true,
		`"` + strings.Repeat("[", maxDepth+1) + `"`:                       false,
		`["\"` + strings.Repeat("{", maxDepth+1) + `"]`:                   false,
	} {
		if got := IsTooDeep(json.RawMessage(text)); got != want {
			t.Errorf("%.20s (%d): got %v", text, len(text), got)
		}
	}
}
