package environment

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/policy/cel"
)

// Admitted is the object as admission policies of the API server see it when Flux creates it: decoded, with the server's defaults, with
// the labels that kustomize-controller adds. Fields that the server or its admission plugins fill in are unknown. The text says why there
// is no such object. Mutating webhooks are not considered.
func (o *Object) Admitted() (map[string]any, bool, string) {
	o.admitting.Do(func() {
		object, refusal := o.decoded()
		if refusal != "" {
			o.refusal = refusal
			return
		}
		o.admitted, o.AdmittedPartial = object, false
		if len(o.Rendered.Unknown) > 0 || mask.MayBeMasked(o.Rendered.Body) {
			o.admitted, o.AdmittedPartial = cel.WithUnknowns(object, o.pointersWhenAdmitted())
		}
		metadata, _ := o.admitted["metadata"].(map[string]any)
		metadata["uid"], metadata["creationTimestamp"] = cel.UnknownValue, cel.UnknownValue
		metadata["labels"] = withOwner(metadata["labels"], o.owner)
		if o.Group == "" || o.Group == "networking.k8s.io" || o.Group == "batch" {
			for _, field := range filledIn[o.Kind] {
				cel.MarkFilledIn(o.admitted, strings.Split(field, "."))
			}
			cel.UncertainParts(o.admitted)
		}
	})
	return o.admitted, o.AdmittedPartial, o.refusal
}

// Forget frees what only the evaluation of this object needed; parameters of policies are used again.
func (o *Object) Forget() {
	if !o.Environment.Parameters[[2]string{o.Group, o.Kind}] {
		o.admitted = nil
	}
}

func withOwner(labels any, owner string) any {
	known, isMap := labels.(map[string]any)
	if labels != nil && !isMap {
		return labels
	}
	namespace, name, _ := strings.Cut(owner, "/")
	result := map[string]any{"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": namespace}
	for key, value := range known {
		result[key] = value
	}
	return result
}

// pointersWhenAdmitted: the server moves the texts of a Secret to its data.
func (o *Object) pointersWhenAdmitted() []string {
	if o.Kind != "Secret" {
		return o.Rendered.Unknown
	}
	pointers := make([]string, len(o.Rendered.Unknown))
	for i, pointer := range o.Rendered.Unknown {
		pointers[i] = strings.Replace(pointer, "/stringData/", "/data/", 1)
	}
	return pointers
}

func (o *Object) decoded() (map[string]any, string) {
	gvk := schema.GroupVersionKind{Group: o.Group, Version: o.Version, Kind: o.Kind}
	if !kubernetes.IsBuiltIn(o.Group) {
		return o.customDecoded()
	}
	typed, err := ServerScheme().New(gvk)
	if err != nil {
		return nil, fmt.Sprintf("what the API server fills in for a %s of %s/%s is not known here", o.Kind, o.Group, o.Version)
	}
	body := runtime.DeepCopyJSON(o.Rendered.Fields())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(body, typed); err != nil {
		return nil, "it cannot be read as a " + o.Kind
	}
	ServerScheme().Default(typed)
	for _, version := range []schema.GroupVersion{{Group: o.Group, Version: runtime.APIVersionInternal}, gvk.GroupVersion()} {
		if typed, err = ServerScheme().ConvertToVersion(typed, version); err != nil {
			return nil, "it cannot be read as a " + o.Kind
		}
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, "it cannot be read as a " + o.Kind
	}
	return object, ""
}
