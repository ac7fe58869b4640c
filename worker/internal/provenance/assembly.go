package provenance

import (
	"encoding/json"

	"devloop.invalid/toolchain/worker/internal/scope"
)

// assembly is the objects that an experiment gave, decoded when they are needed.
type assembly []*assembled

type assembled struct {
	scope.RepeatedObject
	object map[string]any
}

// object is the one at the index as plain values, nil where there is none.
func (a assembly) object(index int) map[string]any {
	if index < 0 || index >= len(a) {
		return nil
	}
	one := a[index]
	if one.object == nil {
		if content, err := json.Marshal(one.Content); err == nil {
			_ = json.Unmarshal(content, &one.object)
		}
	}
	return one.object
}

// same is the object that is the usual one at the index, as long as as many objects come out in the same order.
func (a assembly) same(usual assembly, index int) map[string]any {
	if len(a) != len(usual) {
		return nil
	}
	object := a.object(index)
	if object == nil || object["kind"] != usual.object(index)["kind"] || a[index].Origin != usual[index].Origin {
		return nil
	}
	return object
}
