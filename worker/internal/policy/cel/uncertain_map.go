package cel

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// MarkFilledIn makes a field unknown, and whether it is there as well.
func MarkFilledIn(parent map[string]any, path []string) {
	name := path[0]
	if len(path) > 1 && path[1] == "[]" {
		items, _ := parent[name].([]any)
		for i, item := range items {
			if object, ok := item.(map[string]any); ok {
				MarkFilledIn(object, path[2:])
				items[i] = object
			}
		}
		return
	}
	if len(path) > 1 {
		if child, ok := parent[name].(map[string]any); ok {
			MarkFilledIn(child, path[1:])
		}
		return
	}
	field, always := strings.CutSuffix(name, "!")
	if value, there := parent[field]; always || !there || isEmpty(value) {
		parent[field] = perhaps{}
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return value == nil || value == ""
}

// perhaps stands for a field that may be there or not. It is taken out again by uncertain, which hides it in a mapping of its own kind.
type perhaps struct{}

// uncertain gives the object with its mappings that have such fields replaced.
func uncertain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		hidden := map[string]bool{}
		for key, item := range value {
			if _, ok := item.(perhaps); ok {
				hidden[key] = true
				delete(value, key)
				continue
			}
			value[key] = uncertain(item)
		}
		if len(hidden) > 0 {
			return &UncertainMap{Mapper: types.NewStringInterfaceMap(types.DefaultTypeAdapter, value), Plain: value, Hidden: hidden}
		}
	case []any:
		for i, item := range value {
			value[i] = uncertain(item)
		}
	}
	return value
}

// UncertainParts leaves the object itself a plain mapping.
func UncertainParts(object map[string]any) {
	for key, value := range object {
		if _, ok := value.(perhaps); ok {
			object[key] = UnknownPart
		} else {
			object[key] = uncertain(value)
		}
	}
}

// UncertainMap is a mapping that may or may not have its hidden keys.
type UncertainMap struct {
	traits.Mapper
	Plain  map[string]any
	Hidden map[string]bool
}

// Find gives an unknown for a hidden key.
func (m *UncertainMap) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok && m.Hidden[string(name)] {
		return UnknownPart, true
	}
	return m.Mapper.Find(key)
}

// Get is like Find; a key that is not there is an error.
func (m *UncertainMap) Get(key ref.Val) ref.Val {
	value, found := m.Find(key)
	if !found {
		return types.NewErr("no such key: %v", key)
	}
	return value
}

// Contains is unknown for a hidden key.
func (m *UncertainMap) Contains(key ref.Val) ref.Val {
	value, found := m.Find(key)
	if types.IsError(value) {
		return value
	}
	return types.Bool(found)
}

// Size is unknown.
func (m *UncertainMap) Size() ref.Val { return UnknownPart }

// Equal is unknown.
func (m *UncertainMap) Equal(ref.Val) ref.Val { return UnknownPart }
