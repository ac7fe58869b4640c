package build

import (
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/kustomize/api/resource"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// export notes an object for other builds; shown is how the answer shows it. Where that is the whole truth, it is enough.
func (b *run) export(res *resource.Resource, shown *protocol.BuiltObject) error {
	if !scope.IsExported(res) {
		return nil
	}
	object := &scope.Export{Owner: b.owner(), Index: len(b.result.Objects)}
	object.Secret = shown.Secret != "" || res.GetKind() == "Secret"
	b.exports[scope.KeyOf(res)] = object
	if !object.Secret && len(shown.Unknown) == 0 {
		object.Whole, object.Fingerprint = true, cache.Digest(string(shown.Body))
		object.Content = scope.PlainContent(shown.Body)
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
	content := scope.Content{Values: scope.ValuesOf(body, shown.Secret), Object: body}
	object.Content = func() scope.Content { return content }
	return nil
}
