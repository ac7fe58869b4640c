package cel

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"devloop.invalid/toolchain/worker/internal/jsonpointer"
	"devloop.invalid/toolchain/worker/internal/mask"
)

// A value that is not known stands in objects as CEL's own unknown, which every operator passes on unless the result is the same whatever
// it is. A part of an object of which not even the fields are known is an error, which has() passes on as well.
var (
	UnknownValue = types.NewUnknown(1, nil)
	UnknownPart  = types.NewErr(NotKnown)
)

// guardUnknown watches the calls of a program: functions compare and count lists and mappings without asking whether there is something
// unknown in them, so their result is unknown wherever it could hang on that.
func guardUnknown(node interpreter.Interpretable) (interpreter.Interpretable, error) {
	if call, ok := node.(interpreter.InterpretableCall); ok && !slices.Contains(harmless, call.Function()) {
		return &guardedCall{call}, nil
	}
	return node, nil
}

// What these give does not hang on what is inside of their arguments, or is unknown itself where it does.
var harmless = []string{"_[_]", "size", "_&&_", "_||_", "!_", "_?_:_", "@not_strictly_false", "@index", "_[?_]", "_?._"}

type guardedCall struct{ interpreter.InterpretableCall }

func (g *guardedCall) Eval(in interpreter.Activation) ref.Val {
	arguments := g.Args()
	for i, argument := range arguments {
		value := argument.Eval(in)
		if !holdsUnknown(value) || types.IsUnknownOrError(value) {
			continue
		}
		_, isList := value.(traits.Lister)
		_, isMap := value.(traits.Mapper)
		keepsParts := g.Function() == "_+_" && isList
		asksForKey := g.Function() == "@in" && i == 1 && isMap
		if !keepsParts && !asksForKey {
			return UnknownValue
		}
	}
	return g.InterpretableCall.Eval(in)
}

func holdsUnknown(value ref.Val) bool {
	switch value := value.(type) {
	case *types.Unknown, *types.Err:
		return true
	case traits.Mapper:
		for each := value.Iterator(); each.HasNext() == types.True; {
			if item, found := value.Find(each.Next()); found && holdsUnknown(item) {
				return true
			}
		}
	case traits.Lister:
		for each := value.Iterator(); each.HasNext() == types.True; {
			if holdsUnknown(each.Next()) {
				return true
			}
		}
	}
	return false
}

// WithUnknowns is a copy of the object in which everything that the pointers name, and every value that was masked, is unknown. Says
// whether there is any.
func WithUnknowns(object map[string]any, pointers []string) (map[string]any, bool) {
	marker := &unknownMarker{pointers: map[string]bool{}}
	for _, pointer := range pointers {
		marker.pointers[pointer] = true
	}
	marked := marker.value("", object)
	result, _ := marked.(map[string]any)
	return result, marker.found
}

type unknownMarker struct {
	pointers map[string]bool
	found    bool
}

func (m *unknownMarker) value(pointer string, value any) any {
	if m.pointers[pointer] {
		m.found = true
		return UnknownValue
	}
	switch value := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(value))
		for key, item := range value {
			if strings.Contains(key, "${") && m.pointers[pointer+"/"+key] {
				m.found = true
				return UnknownPart
			}
			result[key] = m.value(pointer+"/"+jsonpointer.Escape(key), item)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for i, item := range value {
			result[i] = m.value(pointer+"/"+strconv.Itoa(i), item)
		}
		return result
	case string:
		if mask.IsMasked(value) {
			m.found = true
			return UnknownValue
		}
	}
	return value
}
