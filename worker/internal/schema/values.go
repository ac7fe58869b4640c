package schema

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/suggest"
)

var expectedNames = map[string]string{
	"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "object": "a mapping", "array": "a list",
}

func (s *schema) allows(value any) bool {
	if s.IntOrString {
		_, isText := value.(string)
		return isText || isWhole(value)
	}
	return len(s.Type) == 0 || slices.ContainsFunc(s.Type, func(name string) bool { return isOf(name, value) })
}

func isOf(name string, value any) bool {
	switch value.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	}
	return name == "number" || name == "integer" && isWhole(value)
}

func isWhole(value any) bool {
	switch value := value.(type) {
	case int64:
		return true
	case float64:
		return value == math.Trunc(value)
	}
	return false
}

func (s *schema) expected() string {
	if s.IntOrString {
		return "a whole number or a text"
	}
	var names []string
	for _, name := range s.Type {
		if word := expectedNames[name]; word != "" && !slices.Contains(names, word) {
			names = append(names, word)
		}
	}
	return strings.Join(names, " or ")
}

func kindOf(value any) string {
	switch value := value.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case float64:
		if !isWhole(value) {
			return "a number with a fraction"
		}
	}
	return "a number"
}

// quoteHint: the usual reasons are quotes too many or too few.
func quoteHint(s *schema, value any) string {
	switch value := value.(type) {
	case string:
		_, err := strconv.ParseFloat(value, 64)
		if err == nil && (slices.Contains(s.Type, "integer") || slices.Contains(s.Type, "number")) ||
			slices.Contains(s.Type, "boolean") && (value == "true" || value == "false") {
			return "take the quotes away"
		}
	case map[string]any, []any:
	default:
		if slices.Contains(s.Type, "string") {
			return "put it in quotes"
		}
	}
	return ""
}

func (w *validator) text(s *schema, value string, at *path) {
	length := utf8.RuneCountInString(value)
	switch {
	case s.quantity:
		w.quantity(value, at)
	case s.MinLength != nil && length < *s.MinLength:
		w.report(protocol.SchemaValue, at, "", "has %s, it must have at least %d", count(length, "character"), *s.MinLength)
	case s.MaxLength != nil && length > *s.MaxLength:
		w.report(protocol.SchemaValue, at, "", "has %s, it may have at most %d", count(length, "character"), *s.MaxLength)
	case s.pattern != nil && !s.pattern.MatchString(value):
		w.report(protocol.SchemaValue, at, "", "%s does not match the pattern %s", w.shown(value), s.Pattern)
	case s.Format != "" && !s.IntOrString:
		w.format(s.Format, value, at)
	}
}

func (w *validator) quantity(value string, at *path) {
	if _, err := resource.ParseQuantity(value); err != nil {
		w.report(protocol.SchemaQuantity, at, "write a number with a unit, for example 500m, 2, 128Mi or 1Gi", "%s is no quantity", w.shown(value))
	}
}

// The formats in plain words; other formats are called by their names.
var formatNames = map[string]string{
	"date-time": "a time like 2026-01-31T12:00:00Z", "byte": "base64", "duration": "a duration like 5m or 1h30m", "uri": "a URL",
	"date": "a date like 2026-01-31", "email": "an e-mail address", "ipv4": "an IPv4 address", "ipv6": "an IPv6 address",
	"cidr": "a network like 10.0.0.0/8", "hostname": "a host name", "uuid": "a UUID",
}

func (w *validator) format(format, value string, at *path) {
	if !isFormat(format, value) {
		name := formatNames[format]
		if name == "" {
			name = "of the format " + format
		}
		w.report(protocol.SchemaValue, at, "", "%s is not %s", w.shown(value), name)
	}
}

func isFormat(format, value string) bool {
	switch format {
	case "date-time":
		_, err := time.Parse(time.RFC3339Nano, value)
		return err == nil || strfmt.IsDateTime(value)
	case "byte":
		_, err := base64.StdEncoding.DecodeString(value)
		return err == nil
	}
	return !strfmt.Default.ContainsName(format) || strfmt.Default.Validates(format, value)
}

func (w *validator) number(s *schema, value float64, at *path) {
	limit := map[string]float64{"int32": math.MaxInt32, "int64": math.MaxInt64}[s.Format]
	switch {
	case limit > 0 && (value > limit || value < -limit-1):
		w.report(protocol.SchemaValue, at, "", "%s is too large for a number of %s bits", w.shown(value), strings.TrimPrefix(s.Format, "int"))
	case s.Minimum != nil && (value < *s.Minimum || s.AboveMinimum && value == *s.Minimum):
		w.report(protocol.SchemaValue, at, "", "%s is too small, it must be %s %v", w.shown(value), orEqual("above", "at least", s.AboveMinimum), *s.Minimum)
	case s.Maximum != nil && (value > *s.Maximum || s.BelowMaximum && value == *s.Maximum):
		w.report(protocol.SchemaValue, at, "", "%s is too large, it must be %s %v", w.shown(value), orEqual("below", "at most", s.BelowMaximum), *s.Maximum)
	case s.MultipleOf != nil && *s.MultipleOf > 0 && validate.MultipleOf("", "", value, *s.MultipleOf) != nil:
		w.report(protocol.SchemaValue, at, "", "%s is no multiple of %v", w.shown(value), *s.MultipleOf)
	}
}

func orEqual(strict, usual string, isStrict bool) string {
	if isStrict {
		return strict
	}
	return usual
}

func (w *validator) enum(s *schema, value any, at *path) {
	if len(s.Enum) == 0 || s.blank && value == "" {
		return
	}
	allowed := make([]string, len(s.Enum))
	for i, each := range s.Enum {
		if equal(each, value) {
			return
		}
		allowed[i] = fmt.Sprint(each)
	}
	hint := ""
	if near := suggest.Nearest(fmt.Sprint(value), allowed); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	w.report(protocol.SchemaValue, at, hint, "%s must be one of %s", w.shown(value), strings.Join(allowed, ", "))
}

func equal(first, second any) bool {
	if a, ok := asFloat(first); ok {
		b, ok := asFloat(second)
		return ok && a == b
	}
	return reflect.DeepEqual(first, second)
}

func asFloat(value any) (float64, bool) {
	switch value := value.(type) {
	case int64:
		return float64(value), true
	case float64:
		return value, true
	}
	return 0, false
}

// shown gives a value for a message: short, on one line, and never one that a Secret holds.
func (w *validator) shown(value any) string {
	text, isText := value.(string)
	switch {
	case w.secret:
		return "its value"
	case !isText:
		if number, ok := asFloat(value); ok {
			return strconv.FormatFloat(number, 'f', -1, 64)
		}
		return fmt.Sprint(value)
	case len(text) > 60:
		return strconv.Quote(text[:57]) + "..."
	}
	return strconv.Quote(text)
}

func count(number int, noun string) string {
	if number == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", number, noun)
}
