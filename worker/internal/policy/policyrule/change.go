package policyrule

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apiserver/pkg/cel/mutation"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// change says whether a mutation would change the object. The expression gives a list of JSONPatch, as a MutatingAdmissionPolicy's does.
func (p *compiledRule) change(o *environment.Object, constraint compiledConstraint, in *cel.Input, value ref.Val) *protocol.PolicyResult {
	if in.Partial {
		return pointer(p.skipped(o, "parts of it are not known here"))
	}
	if strings.HasPrefix(value.Type().TypeName(), "Object") {
		return pointer(p.skipped(o, "what merging an apply configuration gives depends on the API server's schemas"))
	}
	patch, err := patchOf(value)
	if err != nil {
		return pointer(p.result(o, protocol.OutcomeInvalid, constraint, err.Error()))
	}
	before, err := json.Marshal(o.Rendered.Fields())
	if err != nil {
		return pointer(p.skipped(o, err.Error()))
	}
	after, err := patch.Apply(before)
	if err != nil {
		return pointer(p.result(o, protocol.OutcomeInvalid, constraint, "the patch does not apply: "+cel.OneLine(err.Error())))
	}
	if sameJSON(before, after) {
		return nil
	}
	return pointer(p.result(o, protocol.OutcomeChanged, constraint, constraint.messageFor(in)))
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

// missing says which of the objects that must exist as well is not rendered. The expression gives one or a list of mappings with
// apiVersion, kind, name and namespace; without a name any object of the kind will do.
func (p *compiledRule) missing(o *environment.Object, constraint compiledConstraint, in *cel.Input, value ref.Val) *protocol.PolicyResult {
	plain, err := plainValue(value)
	if err != nil {
		return pointer(p.result(o, protocol.OutcomeInvalid, constraint, err.Error()))
	}
	wanted, isList := plain.([]any)
	if !isList {
		wanted = []any{plain}
	}
	for _, each := range wanted {
		fields, _ := each.(map[string]any)
		found, err := holds(o.Environment, fields)
		switch {
		case err != nil:
			return pointer(p.result(o, protocol.OutcomeInvalid, constraint, err.Error()))
		case found == selection.Open:
			return pointer(p.skipped(o, "a name beside it is not known here"))
		case found == selection.No:
			message := constraint.text
			if message == "" && constraint.message == nil {
				message = "nothing renders " + described(fields)
			} else {
				message = constraint.messageFor(in)
			}
			return pointer(p.result(o, protocol.OutcomeMissing, constraint, message))
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

func holds(env *environment.Environment, fields map[string]any) (selection.Match, error) {
	apiVersion, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	for key := range fields {
		if key != "apiVersion" && key != "kind" && key != "name" && key != "namespace" {
			return selection.No, fmt.Errorf("an object to be generated has apiVersion, kind, name and namespace, not %s", key)
		}
	}
	if apiVersion == "" || kind == "" {
		return selection.No, fmt.Errorf("an object to be generated needs at least apiVersion and kind")
	}
	result := selection.No
	for _, each := range env.Objects {
		if each.Kind == kind && environment.GroupOf(apiVersion) == each.Group {
			result = max(result, selection.All(sameName(fields["name"], each.Name), sameName(fields["namespace"], each.Namespace)))
		}
	}
	return result, nil
}

func sameName(wanted any, name string) selection.Match {
	text, _ := wanted.(string)
	switch {
	case text == "":
		return selection.Yes
	case strings.Contains(name, "${"):
		return selection.Open
	}
	return selection.If(text == name)
}
