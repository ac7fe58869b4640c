package kyverno

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// outcome of a pattern: skipped is where a condition of the pattern is not met, undecided where it depends on what is not known here.
type outcome int

const (
	pass outcome = iota
	skipped
	fail
	undecided
)

const notKnownPattern = "it depends on a value that is " + cel.NotKnown

// patternCheck compares with one or several overlays; see Kyverno's documentation of validate.pattern and validate.anyPattern.
func patternCheck(patterns []any) (checkFunc, string) {
	for _, pattern := range patterns {
		if reason := patternObstacle(pattern); reason != "" {
			return nil, reason
		}
	}
	if len(patterns) == 1 {
		return func(_ *environment.Object, object map[string]any) (outcome, string) {
			return overlay(object, patterns[0]), notKnownPattern
		}, ""
	}
	return func(_ *environment.Object, object map[string]any) (outcome, string) {
		result := fail
		for _, pattern := range patterns {
			switch overlay(object, pattern) {
			case pass, skipped:
				return pass, ""
			case undecided:
				result = undecided
			}
		}
		return result, map[outcome]string{undecided: notKnownPattern}[result]
	}, ""
}

var signedRange = regexp.MustCompile(`"[-+]?[0-9.]+[A-Za-z]*!?-[-+]?[0-9.]+[A-Za-z]*"`)

func patternObstacle(pattern any) string {
	text := asJSON(pattern)
	switch {
	case bytes.Contains(text, []byte("{{")) || bytes.Contains(text, []byte("$(")):
		return "its pattern has variables"
	case bytes.Contains(text, []byte(`"+(`)):
		return "its pattern has anchors of mutations"
	case hasWildKeys(pattern):
		return "its pattern has wildcards in names of labels"
	case signedRange.Match(text):
		return "its pattern has ranges"
	}
	return ""
}

func hasWildKeys(pattern any) bool {
	switch pattern := pattern.(type) {
	case map[string]any:
		for key, item := range pattern {
			if strings.ContainsAny(key, "*?") || hasWildKeys(item) {
				return true
			}
		}
	case []any:
		for _, item := range pattern {
			if hasWildKeys(item) {
				return true
			}
		}
	}
	return false
}

// overlay compares an object with a pattern, part by part.
func overlay(object, pattern any) outcome {
	if isUnknown(object) {
		return undecided
	}
	switch pattern := pattern.(type) {
	case map[string]any:
		fields, ok := fieldsOf(object)
		if !ok {
			return fail
		}
		return overlayMap(fields, pattern)
	case []any:
		items, ok := object.([]any)
		if !ok || len(pattern) == 0 {
			return fail
		}
		return overlayList(items, pattern)
	}
	if items, ok := object.([]any); ok {
		return strongest(items, func(item any) outcome { return scalar(item, pattern) })
	}
	return scalar(object, pattern)
}

func isUnknown(value any) bool {
	switch value.(type) {
	case *types.Unknown, *types.Err:
		return true
	}
	return false
}

// fields is a mapping of an object; hidden are the keys that it may or may not have.
type fields struct {
	known  map[string]any
	hidden map[string]bool
}

func fieldsOf(value any) (fields, bool) {
	switch value := value.(type) {
	case map[string]any:
		return fields{known: value}, true
	case *cel.UncertainMap:
		return fields{value.Plain, value.Hidden}, true
	}
	return fields{}, false
}

func (f fields) get(key string) (value any, found, unsure bool) {
	if f.hidden[key] {
		return nil, false, true
	}
	value, found = f.known[key]
	return value, found, false
}

// strongest is fail before undecided before skipped before pass, over all items.
func strongest[T any](items []T, compare func(T) outcome) outcome {
	result := pass
	for _, item := range items {
		switch compare(item) {
		case fail:
			return fail
		case undecided:
			result = undecided
		}
	}
	return result
}

// overlayMap looks at the anchors first, then at what has anchors deeper down, then at the rest; the first that is not met decides.
func overlayMap(object fields, pattern map[string]any) outcome {
	var anchored, nested, plain []string
	for key, item := range pattern {
		switch anchor, _ := anchorOf(key); {
		case anchor != "":
			anchored = append(anchored, key)
		case hasAnchors(item):
			nested = append(nested, key)
		default:
			plain = append(plain, key)
		}
	}
	for _, group := range [][]string{anchored, nested, plain} {
		if result := overlayGroup(object, pattern, group); result != pass {
			return result
		}
	}
	return pass
}

// overlayGroup: Kyverno takes the keys of a group in random order, so a skip next to a failure decides nothing.
func overlayGroup(object fields, pattern map[string]any, keys []string) outcome {
	seen := map[outcome]bool{}
	for _, key := range keys {
		seen[overlayKey(object, key, pattern[key])] = true
	}
	switch {
	case seen[undecided] || seen[fail] && seen[skipped]:
		return undecided
	case seen[fail]:
		return fail
	case seen[skipped]:
		return skipped
	}
	return pass
}

var anchorForm = regexp.MustCompile(`^([=X^<]?)\((.+)\)$`)

// anchorOf splits (key), =(key), ^(key), <(key) and X(key).
func anchorOf(key string) (string, string) {
	found := anchorForm.FindStringSubmatch(key)
	if found == nil {
		return "", key
	}
	if found[1] == "" {
		return "()", found[2]
	}
	return found[1], found[2]
}

func hasAnchors(pattern any) bool {
	switch pattern := pattern.(type) {
	case map[string]any:
		for key, item := range pattern {
			if anchor, _ := anchorOf(key); anchor != "" || hasAnchors(item) {
				return true
			}
		}
	case []any:
		for _, item := range pattern {
			if hasAnchors(item) {
				return true
			}
		}
	}
	return false
}

func overlayKey(object fields, key string, pattern any) outcome {
	anchor, name := anchorOf(key)
	value, found, unsure := object.get(name)
	if unsure {
		return undecided
	}
	switch anchor {
	case "X":
		return outcomeOf(!found)
	case "=":
		if !found {
			return pass
		}
	case "<", "()":
		if !found {
			return map[string]outcome{"<": pass, "()": skipped}[anchor]
		}
		if result := overlay(value, pattern); result == fail {
			return skipped
		} else {
			return result
		}
	case "^":
		return exists(value, found, pattern)
	case "":
		if pattern == "*" {
			return outcomeOf(value != nil)
		}
	}
	return overlay(value, pattern)
}

func outcomeOf(met bool) outcome {
	if met {
		return pass
	}
	return fail
}

// exists: for every pattern of the list there is an item that meets it.
func exists(value any, found bool, pattern any) outcome {
	if !found {
		return pass
	}
	if isUnknown(value) {
		return undecided
	}
	items, isList := value.([]any)
	patterns, hasPatterns := pattern.([]any)
	if !isList || !hasPatterns {
		return fail
	}
	return strongest(patterns, func(wanted any) outcome {
		result := fail
		for _, item := range items {
			switch overlay(item, wanted) {
			case pass:
				return pass
			case undecided:
				result = undecided
			}
		}
		return result
	})
}

func overlayList(items, patterns []any) outcome {
	switch first := patterns[0].(type) {
	case map[string]any:
		return overlayItems(items, func(int) any { return first }, len(items))
	case []any:
		if len(items) < len(patterns) {
			return fail
		}
		return overlayItems(items, func(i int) any { return patterns[i] }, len(patterns))
	default:
		return overlay(items, first)
	}
}

// overlayItems: items whose conditions are not met are left out; where that is all of them, the whole is skipped.
func overlayItems(items []any, pattern func(int) any, count int) outcome {
	applied, left, unsure := 0, 0, false
	for i := range count {
		switch overlay(items[i], pattern(i)) {
		case fail:
			return fail
		case skipped:
			left++
		case undecided:
			unsure = true
		default:
			applied++
		}
	}
	switch {
	case unsure:
		return undecided
	case applied == 0 && left > 0:
		return skipped
	}
	return pass
}

// scalar compares one value with one pattern.
func scalar(value, pattern any) outcome {
	if isUnknown(value) {
		return undecided
	}
	switch pattern := pattern.(type) {
	case bool:
		return outcomeOf(value == pattern)
	case int64:
		return outcomeOf(sameNumber(value, float64(pattern)))
	case float64:
		return outcomeOf(sameNumber(value, pattern))
	case nil:
		return outcomeOf(value == nil || value == "" || value == false || value == int64(0) || value == float64(0))
	case string:
		return outcomeOf(value == pattern || anyAlternative(value, pattern))
	}
	return undecided
}

func sameNumber(value any, wanted float64) bool {
	switch value := value.(type) {
	case int64:
		return float64(value) == wanted
	case float64:
		return value == wanted
	case string:
		number, err := strconv.ParseFloat(value, 64)
		return err == nil && number == wanted && (wanted != math.Trunc(wanted) || !strings.ContainsAny(value, ".eE"))
	}
	return false
}

func anyAlternative(value any, pattern string) bool {
	for _, alternative := range strings.Split(pattern, "|") {
		met := true
		for _, condition := range strings.Split(strings.Trim(alternative, " "), "&") {
			met = met && meets(value, strings.Trim(condition, " "))
		}
		if met {
			return true
		}
	}
	return false
}

// meets compares with one condition, such as >=1Gi, !*:latest or nginx*; durations and quantities by what they are worth.
func meets(value any, condition string) bool {
	operator := ""
	for _, each := range []string{">=", "<=", ">", "<", "!"} {
		if len(condition) > 1 && strings.HasPrefix(condition, each) {
			operator = each
			break
		}
	}
	operand := strings.TrimSpace(condition[len(operator):])
	if order, ok := compared(value, operand); ok && ordered(order, operator) {
		return true
	}
	text, ok := asText(value)
	if !ok || operator != "" && operator != "!" {
		return false
	}
	return selection.Glob(operand, text) == (operator == "")
}

func ordered(order int, operator string) bool {
	switch operator {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	case "!":
		return order != 0
	}
	return order == 0
}

func compared(value any, operand string) (int, bool) {
	text, ok := asText(value)
	if value == nil {
		text, ok = "0", true
	}
	if _, isBool := value.(bool); isBool || !ok {
		return 0, false
	}
	if left, err := time.ParseDuration(text); err == nil {
		if right, err := time.ParseDuration(operand); err == nil {
			return compareNumbers(float64(left), float64(right)), true
		}
	}
	left, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, false
	}
	right, err := resource.ParseQuantity(operand)
	if err != nil {
		return 0, false
	}
	return left.Cmp(right), true
}

func compareNumbers(left, right float64) int {
	switch {
	case left < right:
		return -1
	case left > right:
		return 1
	}
	return 0
}

func asText(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), true
	case int64:
		return strconv.FormatInt(value, 10), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	}
	return "", false
}
