package schema

import (
	"encoding/json"
	"fmt"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"strings"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// forms checks allOf, anyOf, oneOf and not: other schemas for the same value.
func (w *validator) forms(s *schema, value any, at *path) {
	for _, each := range s.AllOf {
		w.walk(each, value, at, false)
	}
	if len(s.AnyOf) > 0 && !s.IntOrString {
		w.choose(s.AnyOf, value, at, "at least one")
	}
	if len(s.OneOf) > 0 {
		w.choose(s.OneOf, value, at, "exactly one")
	}
	if s.Not != nil && len(w.attempt(s.Not, value, at)) == 0 {
		w.report(protocol.SchemaValue, at, "", "%s", forbidden(s.Not))
	}
}

// attempt gives what speaks against a value without holding it against the object.
func (w *validator) attempt(s *schema, value any, at *path) []protocol.SchemaError {
	trial := validator{definitions: w.definitions, unknown: w.unknown, secret: w.secret}
	trial.walk(s, value, at, false)
	return trial.found
}

func (w *validator) choose(forms []*schema, value any, at *path, how string) {
	fitting, closest := 0, []protocol.SchemaError(nil)
	for _, form := range forms {
		against := w.attempt(form, value, at)
		if len(against) == 0 {
			fitting++
		} else if closest == nil || len(against) < len(closest) {
			closest = against
		}
	}
	switch names := choices(forms); {
	case fitting == 0 && names != "":
		w.report(protocol.SchemaValue, at, "", "must have %s of %s", how, names)
	case fitting == 0:
		w.report(protocol.SchemaValue, at, closest[0].Message, "has none of the %d forms that it may have", len(forms))
	case fitting > 1 && how == "exactly one" && names != "":
		w.report(protocol.SchemaValue, at, "", "must have only one of %s", names)
	case fitting > 1 && how == "exactly one":
		w.report(protocol.SchemaValue, at, "", "has %d of the forms of which it may have one", fitting)
	}
}

// choices are the fields to choose from, when that is all that the forms are about.
func choices(forms []*schema) string {
	names := make([]string, len(forms))
	for i, form := range forms {
		if len(form.Required) == 0 {
			return ""
		}
		names[i] = strings.Join(form.Required, " with ")
	}
	return strings.Join(names, ", ")
}

func forbidden(s *schema) string {
	if len(s.Required) > 0 {
		return "must not have " + strings.Join(s.Required, " with ")
	}
	return "has a form that it must not have"
}

// duplicates: the items of a set must differ, and those of a list with keys must differ in one of them.
func (w *validator) duplicates(s *schema, items []any, at *path) {
	if s.ListType != "map" && s.ListType != "set" && !s.UniqueItems {
		return
	}
	first := map[string]int{}
	for i, item := range items {
		key, shown, known := w.identity(s, item, at.item(i, item))
		if !known {
			continue
		}
		if earlier, twice := first[key]; twice {
			w.report(protocol.SchemaDuplicate, &path{above: at, index: i}, "", "is the same as item %d%s", earlier, shown)
			continue
		}
		first[key] = i
	}
}

// identity is what distinguishes an item, the same as part of a message, and whether it is known.
func (w *validator) identity(s *schema, item any, at *path) (key, shown string, known bool) {
	if w.isSkipped(item, at) {
		return "", "", false
	}
	if s.ListType != "map" {
		content, err := json.Marshal(item)
		return string(content), "", err == nil && item != nil
	}
	fields, isMapping := item.(map[string]any)
	parts := make([]string, 0, len(s.ListKeys))
	values := make([]any, 0, len(s.ListKeys))
	for _, name := range s.ListKeys {
		value := fields[name]
		if value == nil {
			value = w.keyDefault(s, name)
		}
		if value == nil || w.isSkipped(value, at.field(name)) {
			return "", "", false
		}
		parts = append(parts, fmt.Sprintf("%s: %v", name, value))
		values = append(values, value)
	}
	shown = strings.Join(parts, ", ")
	return fmt.Sprintf("%#v", values), " (" + shown + ")", isMapping && len(parts) > 0
}

// keyDefault: a CustomResourceDefinition says what a key is when it is left out; of Kubernetes' own keys only the protocol of ports may be.
func (w *validator) keyDefault(s *schema, name string) any {
	if items := w.definitions.resolve(s.Items); items != nil {
		if property := w.definitions.resolve(items.Properties[name]); property != nil && property.defaultsTo != nil {
			return property.defaultsTo
		}
	}
	if name == "protocol" {
		return "TCP"
	}
	return nil
}

// withDefaults puts the defaults of a CustomResourceDefinition into an object, as the API server does before it checks.
func withDefaults(s *schema, value any) {
	if s == nil || !s.defaults {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if value[name] == nil && property.defaultsTo != nil && (!property.Nullable || !has(value, name)) {
				value[name] = copied(property.Default)
			}
			withDefaults(property, value[name])
		}
		if s.Additional != nil && s.Additional.schema != nil {
			for _, name := range collect.SortedKeys(value) {
				if s.Properties[name] == nil {
					withDefaults(s.Additional.schema, value[name])
				}
			}
		}
	case []any:
		for _, item := range value {
			withDefaults(s.Items, item)
		}
	}
}

func has(fields map[string]any, name string) bool {
	_, found := fields[name]
	return found
}

func copied(content json.RawMessage) (value any) {
	_ = kubejson.Unmarshal(content, &value)
	return value
}
