package schema

import (
	"fmt"
	"slices"
	"strings"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/jsonpointer"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/suggest"
)

// path is a field of the object; its steps are listed only for errors.
type path struct {
	above *path
	key   string
	index int // of a list's item, -1 for a field
	name  string
}

func (at *path) field(key string) *path { return &path{above: at, key: key, index: -1} }

func (at *path) item(index int, value any) *path {
	name := ""
	if fields, ok := value.(map[string]any); ok {
		name, _ = fields["name"].(string)
	}
	return &path{above: at, index: index, name: name}
}

func (at *path) pointer() string {
	switch {
	case at == nil:
		return ""
	case at.index >= 0:
		return fmt.Sprintf("%s/%d", at.above.pointer(), at.index)
	}
	return at.above.pointer() + "/" + jsonpointer.Escape(at.key)
}

func (at *path) steps() []any {
	switch {
	case at == nil:
		return []any{}
	case at.index >= 0 && at.name != "":
		return append(at.above.steps(), map[string]any{"name": at.name})
	case at.index >= 0:
		return append(at.above.steps(), at.index)
	}
	return append(at.above.steps(), at.key)
}

// String is how people write it: spec.containers[web].image, metadata.annotations["a.b/c"].
func (at *path) String() string {
	switch {
	case at == nil:
		return "the object"
	case at.index >= 0 && at.name != "":
		return fmt.Sprintf("%s[%s]", at.above, at.name)
	case at.index >= 0:
		return fmt.Sprintf("%s[%d]", at.above, at.index)
	case strings.ContainsAny(at.key, ".[]/ "):
		return fmt.Sprintf("%s[%q]", at.above, at.key)
	case at.above == nil:
		return at.key
	}
	return at.above.String() + "." + at.key
}

// validator checks one object. It skips what is masked or depends on an unknown variable. With secret, no message quotes a value.
type validator struct {
	definitions definitions
	unknown     map[string]bool
	secret      bool
	found       []protocol.SchemaError
}

func (w *validator) report(code protocol.SchemaCode, at *path, hint, message string, args ...any) {
	w.found = append(w.found, protocol.SchemaError{Code: code, Field: at.steps(), Message: at.String() + " " + fmt.Sprintf(message, args...), Hint: hint})
}

func (w *validator) isSkipped(value any, at *path) bool {
	text, isText := value.(string)
	return isText && mask.IsMasked(text) || len(w.unknown) > 0 && w.unknown[at.pointer()]
}

// walk checks a value. Without strict, fields that a schema does not list are not its business: it is one of several for the same value.
func (w *validator) walk(s *schema, value any, at *path, strict bool) {
	if s = w.definitions.resolve(s); s == nil || w.isSkipped(value, at) {
		return
	}
	if value == nil {
		w.null(s, at)
		return
	}
	if !s.allows(value) {
		w.report(protocol.SchemaType, at, quoteHint(s, value), "is %s, it must be %s", kindOf(value), s.expected())
		return
	}
	switch value := value.(type) {
	case map[string]any:
		w.mapping(s, value, at, strict)
	case []any:
		w.list(s, value, at, strict)
	case string:
		w.text(s, value, at)
	case int64:
		w.number(s, float64(value), at)
	case float64:
		w.number(s, value, at)
	}
	w.enum(s, value, at)
	w.forms(s, value, at)
}

// null: the API server takes fields that are null out of a built-in object before it looks at it, but not items of lists.
func (w *validator) null(s *schema, at *path) {
	if s.refusesNull && at != nil {
		w.report(protocol.SchemaType, at, "leave the field out", "is null, it must be %s", s.expected())
		return
	}
	if at != nil && at.index >= 0 && !s.Nullable && !slices.Contains(s.Type, "null") && len(s.Type) > 0 {
		w.report(protocol.SchemaType, at, "", "is empty, it must be %s", s.expected())
	}
}

func (w *validator) mapping(s *schema, fields map[string]any, at *path, strict bool) {
	for _, name := range s.Required {
		if fields[name] == nil && !w.isRefusedNull(s, fields, name) && !w.hasDefault(s, name) && (at != nil || name != "status") {
			w.missing(name, at)
		}
	}
	if s.MinProperties != nil && len(fields) < *s.MinProperties {
		w.report(protocol.SchemaValue, at, "", "has %s, it must have at least %d", count(len(fields), "field"), *s.MinProperties)
	}
	if s.MaxProperties != nil && len(fields) > *s.MaxProperties {
		w.report(protocol.SchemaValue, at, "", "has %s, it may have at most %d", count(len(fields), "field"), *s.MaxProperties)
	}
	for _, name := range collect.SortedKeys(fields) {
		if at != nil || name != "status" { // only controllers set it
			w.property(s, name, fields[name], at, strict)
		}
	}
	if s.Embedded {
		w.embedded(fields, at)
	}
}

func (w *validator) property(s *schema, name string, value any, at *path, strict bool) {
	below := at.field(name)
	switch known := s.Properties[name]; {
	case known != nil:
		w.walk(known, value, below, strict && !s.Preserve)
	case s.Additional != nil && s.Additional.schema != nil:
		w.walk(s.Additional.schema, value, below, strict)
	case strict && !s.open() && !(s.Embedded && isObjectField(name)) && !w.isSkipped(value, below):
		w.report(protocol.SchemaUnknownField, below, w.suggest(s, name, at), "is no field that Kubernetes knows")
	}
}

func (w *validator) missing(name string, at *path) {
	w.found = append(w.found, protocol.SchemaError{Code: protocol.SchemaMissing, Field: at.steps(), Message: at.field(name).String() + " is missing"})
}

// isRefusedNull: the field is there, and null is wrong in itself.
func (w *validator) isRefusedNull(s *schema, fields map[string]any, name string) bool {
	_, exists := fields[name]
	property := w.definitions.resolve(s.Properties[name])
	return exists && property != nil && property.refusesNull
}

// hasDefault: a field that the API server fills in is never missing.
func (w *validator) hasDefault(s *schema, name string) bool {
	property := w.definitions.resolve(s.Properties[name])
	return property != nil && len(property.Default) > 0
}

// suggest names the field that was probably meant, or those that there are when they are few.
func (w *validator) suggest(s *schema, name string, at *path) string {
	names := collect.SortedKeys(s.Properties)
	if near := suggest.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(names) == 0 || len(names) > 12 {
		return "remove it, or move it to where it belongs"
	}
	return fmt.Sprintf("the fields of %s are: %s", at, strings.Join(names, ", "))
}

func isObjectField(name string) bool {
	return name == "apiVersion" || name == "kind" || name == "metadata"
}

// embedded objects name their kind, and their metadata is like any object's.
func (w *validator) embedded(fields map[string]any, at *path) {
	for _, name := range []string{"apiVersion", "kind"} {
		if fields[name] == nil {
			w.missing(name, at)
		}
	}
	if metadata := fields["metadata"]; metadata != nil {
		w.walk(w.definitions.metadata(), metadata, at.field("metadata"), true)
	}
}

func (w *validator) list(s *schema, items []any, at *path, strict bool) {
	if s.MinItems != nil && len(items) < *s.MinItems {
		w.report(protocol.SchemaValue, at, "", "has %s, it must have at least %d", count(len(items), "item"), *s.MinItems)
	}
	if s.MaxItems != nil && len(items) > *s.MaxItems {
		w.report(protocol.SchemaValue, at, "", "has %s, it may have at most %d", count(len(items), "item"), *s.MaxItems)
	}
	for i, item := range items {
		if s.Items != nil {
			w.walk(s.Items, item, at.item(i, item), strict)
		}
	}
	w.duplicates(s, items, at)
}
