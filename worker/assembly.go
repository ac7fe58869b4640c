package main

import (
	"encoding/json"
)

// assembly is the objects that an experiment gave, decoded when somebody asks for them.
type assembly []*assembled

type assembled struct {
	repeated
	object map[string]any
}

// object is the one at the index as plain values, nil where there is none.
func (a assembly) object(index int) map[string]any {
	if index < 0 || index >= len(a) {
		return nil
	}
	one := a[index]
	if one.object == nil {
		if content, err := json.Marshal(one.content); err == nil {
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
	if object == nil || object["kind"] != usual.object(index)["kind"] || a[index].origin != usual[index].origin {
		return nil
	}
	return object
}
