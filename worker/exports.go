package main

import (
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/kustomize/api/resource"
)

// export notes an object for other builds; shown is how the answer shows it. Where that is the whole truth, it is enough.
func (b *run) export(res *resource.Resource, shown *builtObject) error {
	if !isExported(res) {
		return nil
	}
	object := &exported{owner: b.owner(), index: len(b.result.Objects)}
	object.secret = shown.Secret != "" || res.GetKind() == "Secret"
	b.exports[exportKeyOf(res)] = object
	if !object.secret && len(shown.Unknown) == 0 {
		object.whole, object.fingerprint = true, digest(string(shown.Body))
		object.content = plainContent(shown.Body)
		return nil
	}
	text, err := res.MarshalJSON() // its own map has numbers that Kubernetes cannot copy
	if err != nil {
		return err
	}
	var body map[string]any
	if err := kubejson.Unmarshal(text, &body); err != nil {
		return err
	}
	content := exportContent{values(body, shown.Secret), body}
	object.content = func() exportContent { return content }
	return nil
}
