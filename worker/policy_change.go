package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apiserver/pkg/cel/mutation"
)

// change says whether a mutation would change the object. The expression gives a list of JSONPatch, as a MutatingAdmissionPolicy's does.
func (p *rulePolicy) change(s *subject, constraint compiledConstraint, in *celInput, value ref.Val) *statement {
	if in.partial {
		return pointer(p.skipped(s, "parts of it are not known here"))
	}
	if strings.HasPrefix(value.Type().TypeName(), "Object") {
		return pointer(p.skipped(s, "what merging an apply configuration gives hangs on the API server's schemas"))
	}
	patch, err := patchOf(value)
	if err != nil {
		return pointer(p.says(s, "invalid", constraint, err.Error()))
	}
	before, err := json.Marshal(s.rendered.body())
	if err != nil {
		return pointer(p.skipped(s, err.Error()))
	}
	after, err := patch.Apply(before)
	if err != nil {
		return pointer(p.says(s, "invalid", constraint, "the patch does not apply: "+oneLine(err.Error())))
	}
	if sameJSON(before, after) {
		return nil
	}
	return pointer(p.says(s, "changed", constraint, constraint.says(in)))
}

func sameJSON(before, after []byte) bool {
	var was, is any
	return json.Unmarshal(before, &was) == nil && json.Unmarshal(after, &is) == nil && reflect.DeepEqual(was, is)
}

// patchOf reads the list of JSONPatch that an expression gave.
func patchOf(value ref.Val) (jsonpatch.Patch, error) {
	list, ok := value.(traits.Lister)
	if !ok {
		return nil, fmt.Errorf("the expression of a mutation must give a list of JSONPatch, not %s", value.Type().TypeName())
	}
	operations := []map[string]any{}
	for each := list.Iterator(); each.HasNext().Value() == true; {
		item, ok := each.Next().(*mutation.JSONPatchVal)
		if !ok {
			return nil, fmt.Errorf("the expression of a mutation must give a list of JSONPatch")
		}
		operation := map[string]any{"op": item.Op, "path": item.Path}
		if item.From != "" {
			operation["from"] = item.From
		}
		if item.Val != nil {
			plain, err := plainValue(item.Val)
			if err != nil {
				return nil, err
			}
			operation["value"] = plain
		}
		operations = append(operations, operation)
	}
	text, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	return jsonpatch.DecodePatch(text)
}

// plainValue turns a CEL value into what JSON can say.
func plainValue(value ref.Val) (any, error) {
	switch value := value.(type) {
	case traits.Mapper:
		result := map[string]any{}
		for each := value.Iterator(); each.HasNext().Value() == true; {
			key := each.Next()
			item, err := plainValue(value.Get(key))
			if err != nil {
				return nil, err
			}
			result[fmt.Sprint(key.Value())] = item
		}
		return result, nil
	case traits.Lister:
		result := []any{}
		for each := value.Iterator(); each.HasNext().Value() == true; {
			item, err := plainValue(each.Next())
			if err != nil {
				return nil, err
			}
			result = append(result, item)
		}
		return result, nil
	}
	switch plain := value.Value().(type) {
	case string, bool, int64, uint64, float64, nil:
		return plain, nil
	}
	if value.Type().TypeName() == "null_type" {
		return nil, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot stand in a manifest", value.Type().TypeName())
}

// missing says which of the objects that must exist beside this one is rendered nowhere. The expression gives one or a list of mappings with
// apiVersion, kind, name and namespace; without a name any object of the kind will do.
func (p *rulePolicy) missing(s *subject, constraint compiledConstraint, in *celInput, value ref.Val) *statement {
	plain, err := plainValue(value)
	if err != nil {
		return pointer(p.says(s, "invalid", constraint, err.Error()))
	}
	wanted, isList := plain.([]any)
	if !isList {
		wanted = []any{plain}
	}
	for _, each := range wanted {
		fields, _ := each.(map[string]any)
		found, err := holds(s.world, fields)
		switch {
		case err != nil:
			return pointer(p.says(s, "invalid", constraint, err.Error()))
		case found == open:
			return pointer(p.skipped(s, "a name beside it is not known here"))
		case found == no:
			message := constraint.text
			if message == "" && constraint.message == nil {
				message = "nothing renders " + described(fields)
			} else {
				message = constraint.says(in)
			}
			return pointer(p.says(s, "missing", constraint, message))
		}
	}
	return nil
}

func described(fields map[string]any) string {
	parts := []string{}
	for _, key := range []string{"kind", "namespace", "name"} {
		if text, _ := fields[key].(string); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "/")
}

func holds(w *world, fields map[string]any) (match, error) {
	apiVersion, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	for key := range fields {
		if key != "apiVersion" && key != "kind" && key != "name" && key != "namespace" {
			return no, fmt.Errorf("an object to be generated has apiVersion, kind, name and namespace, not %s", key)
		}
	}
	if apiVersion == "" || kind == "" {
		return no, fmt.Errorf("an object to be generated needs at least apiVersion and kind")
	}
	result := no
	for _, each := range w.subjects {
		if each.kind == kind && groupOf(apiVersion) == each.group {
			result = max(result, both(sameName(fields["name"], each.name), sameName(fields["namespace"], each.namespace)))
		}
	}
	return result, nil
}

func sameName(wanted any, name string) match {
	text, _ := wanted.(string)
	switch {
	case text == "":
		return yes
	case strings.Contains(name, "${"):
		return open
	}
	return matched(text == name)
}
