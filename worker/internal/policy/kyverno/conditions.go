package kyverno

import (
	"encoding/json"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"regexp"
	"slices"
	"strings"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// conditions are preconditions or the conditions of a denial: all of all, and one of any where there are any.
type conditions struct{ all, any []condition }

type condition struct {
	key, value any
	operator   string
}

var knownOperators = []string{
	"Equals", "Equal", "NotEquals", "NotEqual", "AnyIn", "AllIn", "AnyNotIn", "AllNotIn",
	"GreaterThan", "GreaterThanOrEquals", "LessThan", "LessThanOrEquals",
}

// conditionsOf reads conditions; says what in them is not evaluated here.
func conditionsOf(written any) (conditions, string) {
	var result conditions
	blocks := map[string]*[]condition{"all": &result.all, "any": &result.any}
	said, isMap := written.(map[string]any)
	if list, ok := written.([]any); ok {
		said, isMap = map[string]any{"all": list}, true
	}
	if written != nil && !isMap {
		return result, "its conditions cannot be read"
	}
	for name, list := range said {
		items, ok := list.([]any)
		if blocks[name] == nil || !ok {
			return result, "its conditions cannot be read"
		}
		for _, item := range items {
			fields, _ := item.(map[string]any)
			operator, _ := fields["operator"].(string)
			if !slices.Contains(knownOperators, operator) {
				return result, "the operator " + operator + " is not evaluated here"
			}
			for _, side := range []any{fields["key"], fields["value"]} {
				if reason := templateObstacle(side); reason != "" {
					return result, reason
				}
			}
			*blocks[name] = append(*blocks[name], condition{fields["key"], fields["value"], operator})
		}
	}
	return result, ""
}

func denyCheck(written any) (checkFunc, string) {
	said, _ := written.(map[string]any)
	list, reason := conditionsOf(said["conditions"])
	if reason != "" {
		return nil, reason
	}
	return func(o *environment.Object, object map[string]any) (outcome, string) {
		holds, reason := list.holds(o, object)
		return map[selection.Match]outcome{selection.Yes: fail, selection.No: pass, selection.Open: undecided}[holds], reason
	}, ""
}

func (c conditions) holds(o *environment.Object, object map[string]any) (selection.Match, string) {
	result, reason := selection.Yes, ""
	note := func(holds selection.Match, why string) selection.Match {
		if holds == selection.Open {
			reason = why
		}
		return holds
	}
	for _, each := range c.all {
		result = selection.All(result, note(each.holds(o, object)))
	}
	if len(c.any) > 0 {
		one := selection.No
		for _, each := range c.any {
			one = max(one, note(each.holds(o, object)))
		}
		result = selection.All(result, one)
	}
	return result, reason
}

func (c condition) holds(o *environment.Object, object map[string]any) (selection.Match, string) {
	key, reason := resolved(c.key, o, object)
	if reason != "" {
		return selection.Open, reason
	}
	value, reason := resolved(c.value, o, object)
	if reason != "" {
		return selection.Open, reason
	}
	switch c.operator {
	case "Equals", "Equal":
		return same(key, value)
	case "NotEquals", "NotEqual":
		holds, why := same(key, value)
		return selection.Yes - holds, why
	case "AnyIn", "AllIn", "AnyNotIn", "AllNotIn":
		return isIn(c.operator, key, value)
	}
	order, ok := compared(key, textOf(value))
	if !ok || key == nil {
		return selection.Open, "values of different kinds are compared"
	}
	signs := map[string]string{"GreaterThan": ">", "GreaterThanOrEquals": ">=", "LessThan": "<", "LessThanOrEquals": "<="}
	return selection.If(ordered(order, signs[c.operator])), ""
}

func textOf(value any) string {
	text, _ := asText(value)
	return text
}

// same compares a key with the value of a condition, which may have wildcards.
func same(key, value any) (selection.Match, string) {
	_, keyIsBool := key.(bool)
	_, valueIsBool := value.(bool)
	if keyIsBool && valueIsBool {
		return selection.If(key == value), ""
	}
	left, ok := asText(key)
	right, okToo := asText(value)
	if !ok || !okToo || keyIsBool || valueIsBool {
		return selection.Open, "values of different kinds are compared"
	}
	if order, comparable := compared(key, right); comparable {
		return selection.If(order == 0), ""
	}
	return selection.If(selection.Glob(right, left)), ""
}

func isIn(operator string, key, value any) (selection.Match, string) {
	keys, ok := textsOf(key)
	values, okToo := textsOf(value)
	if !ok || !okToo || slices.ContainsFunc(keys, func(text string) bool { return strings.ContainsAny(text, "*?") }) {
		return selection.Open, "values of different kinds are compared"
	}
	if _, single := value.(string); single && strings.ContainsAny(values[0], "-[") {
		return selection.Open, "a range or a list in a text is compared"
	}
	found := func(text string) bool {
		return slices.ContainsFunc(values, func(each string) bool { return selection.Glob(each, text) })
	}
	missing := func(text string) bool { return !found(text) }
	switch operator {
	case "AnyIn":
		return selection.If(slices.ContainsFunc(keys, found)), ""
	case "AllIn":
		return selection.If(!slices.ContainsFunc(keys, missing)), ""
	case "AnyNotIn":
		return selection.If(slices.ContainsFunc(keys, missing)), ""
	}
	return selection.If(!slices.ContainsFunc(keys, found)), ""
}

func textsOf(value any) ([]string, bool) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	result := make([]string, len(list))
	for i, each := range list {
		text, ok := asText(each)
		if !ok {
			return nil, false
		}
		result[i] = text
	}
	return result, true
}

// What stands between {{ and }}: a path into the request, and what counts where that leads to nothing.
var (
	wholeTemplate = regexp.MustCompile(`^\s*\{\{\s*(.*?)\s*\}\}\s*$`)
	simplePath    = regexp.MustCompile(`^request\.(operation|name|namespace|object)((\.([A-Za-z_][A-Za-z0-9_]*|"[^"]+"))|\[\]|\[\*\])*$`)
	pathStep      = regexp.MustCompile(`\.([A-Za-z_][A-Za-z0-9_]*|"[^"]+")|(\[\]|\[\*\])`)
	alternatives  = regexp.MustCompile(`\s*\|\|\s*`)
)

func templateObstacle(side any) string {
	text, isText := side.(string)
	if !isText {
		if strings.Contains(string(asJSON(side)), "{{") {
			return "it computes with variables inside of lists"
		}
		return ""
	}
	if !strings.Contains(text, "{{") {
		return ""
	}
	found := wholeTemplate.FindStringSubmatch(text)
	if found == nil || strings.Contains(found[1], "{{") {
		return "it composes texts of variables"
	}
	for _, part := range alternatives.Split(found[1], -1) {
		if _, isLiteral := literalOf(part); !isLiteral && !simplePath.MatchString(part) {
			return "it computes with JMESPath: " + part
		}
	}
	return ""
}

// literalOf reads 'text' and `JSON`.
func literalOf(text string) (any, bool) {
	switch {
	case len(text) > 1 && text[0] == '\'' && strings.HasSuffix(text, "'"):
		return text[1 : len(text)-1], true
	case len(text) > 1 && text[0] == '`' && strings.HasSuffix(text, "`"):
		var value any
		if kubejson.Unmarshal([]byte(text[1:len(text)-1]), &value) != nil {
			return nil, json.Valid([]byte(text[1 : len(text)-1]))
		}
		return value, true
	}
	return nil, false
}

// resolved puts a value in the place of a variable; the reason is why that is not possible.
func resolved(side any, o *environment.Object, object map[string]any) (any, string) {
	text, isText := side.(string)
	if !isText || !strings.Contains(text, "{{") {
		return side, ""
	}
	parts := alternatives.Split(wholeTemplate.FindStringSubmatch(text)[1], -1)
	for i, part := range parts {
		value, isLiteral := literalOf(part)
		if !isLiteral {
			var known bool
			if value, known = lookUp(o, part, object); !known {
				return nil, notKnownPattern
			}
		}
		if !isFalsey(value) || i == len(parts)-1 && value != nil {
			return value, ""
		}
	}
	return nil, "a variable has no value"
}

func isFalsey(value any) bool {
	switch value := value.(type) {
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return value == nil || value == "" || value == false
}

// lookUp follows a path; says whether all on the way is known.
func lookUp(o *environment.Object, path string, object map[string]any) (any, bool) {
	rest := strings.TrimPrefix(path, "request")
	var value any = map[string]any{"operation": "CREATE", "name": o.Name, "namespace": o.Namespace, "object": object}
	return walkPath(value, pathStep.FindAllStringSubmatch(rest, -1))
}

func walkPath(value any, steps [][]string) (any, bool) {
	if isUnknown(value) {
		return nil, false
	}
	if len(steps) == 0 {
		if fields, ok := value.(*cel.UncertainMap); ok && len(fields.Hidden) > 0 {
			return nil, false
		}
		return value, true
	}
	if steps[0][2] != "" {
		items, ok := value.([]any)
		if !ok {
			return nil, true
		}
		return project(items, steps[1:], steps[0][2] == "[]")
	}
	object, ok := fieldsOf(value)
	if !ok {
		return nil, true
	}
	next, _, unsure := object.get(strings.Trim(steps[0][1], `"`))
	if unsure {
		return nil, false
	}
	return walkPath(next, steps[1:])
}

// project follows the rest of the path from every item; what leads to nothing is left out.
func project(items []any, steps [][]string, flat bool) (any, bool) {
	result := []any{}
	if flat {
		var flattened []any
		for _, item := range items {
			if inner, ok := item.([]any); ok {
				flattened = append(flattened, inner...)
			} else {
				flattened = append(flattened, item)
			}
		}
		items = flattened
	}
	nested := slices.ContainsFunc(steps, func(step []string) bool { return step[2] == "[]" })
	for _, item := range items {
		value, known := walkPath(item, steps)
		if !known {
			return nil, false
		}
		if inner, ok := value.([]any); ok && nested {
			result = append(result, inner...)
		} else if value != nil {
			result = append(result, value)
		}
	}
	return result, true
}
