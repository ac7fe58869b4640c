package helm

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kube "sigs.k8s.io/yaml"

	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// manifest is one object of a chart, and its file in the repository.
type manifest struct {
	origin string
	text   string
}

// addToResult puts objects into the answer, as build does.
func (w *release) addToResult(objects []releaseObject) error {
	for _, each := range objects {
		content, err := json.Marshal(each.object)
		if err != nil {
			return err
		}
		built := protocol.BuiltObject{Body: content, Origin: each.origin}
		if bytes.ContainsFunc(content, mask.IsHidden) || w.guarded {
			m := &mask.Masker{IsSecret: each.object["kind"] == "Secret"}
			shown := m.Value("", each.object, nil)
			if built.Body, err = json.Marshal(shown); err != nil {
				return err
			}
			slices.Sort(m.Unknown)
			built.Unknown = m.Unknown
		}
		if protocol.IsTooDeep(built.Body) {
			return protocol.TooDeep("an object of the chart", each.origin)
		}
		w.result.Objects = append(w.result.Objects, built)
	}
	return nil
}

type releaseObject struct {
	origin string
	object map[string]any
}

func parsedManifests(manifests []manifest) ([]releaseObject, error) {
	var objects []releaseObject
	for _, each := range manifests {
		var object map[string]any
		if err := kube.Unmarshal([]byte(each.text), &object); err != nil {
			message := "the template renders invalid YAML: " + firstLine(err.Error())
			return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Path: each.origin}
		}
		for _, one := range flattened(object) {
			if unnamed := (&unstructured.Unstructured{Object: one}); unnamed.GetKind() == "" || unnamed.GetAPIVersion() == "" {
				message := "the template renders an object without apiVersion or kind"
				return nil, &protocol.Failure{Kind: protocol.KindBuild, Message: message, Path: each.origin}
			}
			objects = append(objects, releaseObject{each.origin, one})
		}
	}
	return objects, nil
}

// flattened are the items of a list, or the object itself; none where there is none.
func flattened(object map[string]any) (all []map[string]any) {
	items, isList := object["items"].([]any)
	if kind, _ := object["kind"].(string); isList && strings.HasSuffix(kind, "List") {
		for _, item := range items {
			if fields, ok := item.(map[string]any); ok {
				all = append(all, flattened(fields)...)
			}
		}
		return all
	}
	if len(object) > 0 {
		all = append(all, object)
	}
	return all
}

// namespaced gives an object the namespace that Helm would apply it in, where its kind is known to have one.
func (w *release) namespaced(object map[string]any) {
	one := unstructured.Unstructured{Object: object}
	if one.GetNamespace() != "" {
		return
	}
	if kustomize.IsNamespaced(one.GetAPIVersion(), one.GetKind()) {
		one.SetNamespace(w.namespace())
	}
}
