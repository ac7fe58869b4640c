package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// admission is the object as admission policies of the API server see it when Flux creates it: decoded, with the server's defaults, with
// the labels that kustomize-controller adds. Fields that the server or its admission plugins fill in are unknown. The text says why there
// is no such object. Mutating webhooks are out of sight.
func (s *subject) admission() (map[string]any, bool, string) {
	s.admitting.Do(func() {
		object, refusal := s.decoded()
		if refusal != "" {
			s.refusal = refusal
			return
		}
		s.admitted, s.admittedPartial = object, false
		if len(s.rendered.Unknown) > 0 || mayBeMasked(s.rendered.Body) {
			s.admitted, s.admittedPartial = withUnknowns(object, s.pointersWhenAdmitted())
		}
		metadata, _ := s.admitted["metadata"].(map[string]any)
		metadata["uid"], metadata["creationTimestamp"] = unknownValue, unknownValue
		metadata["labels"] = withOwner(metadata["labels"], s.owner)
		if s.group == "" || s.group == "networking.k8s.io" || s.group == "batch" {
			for _, field := range filledIn[s.kind] {
				markFilledIn(s.admitted, strings.Split(field, "."))
			}
			uncertainParts(s.admitted)
		}
	})
	return s.admitted, s.admittedPartial, s.refusal
}

// forget frees what only the judgement of this object needed; parameters are looked at again.
func (s *subject) forget() {
	if !s.world.parameters[[2]string{s.group, s.kind}] {
		s.admitted = nil
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
func (s *subject) pointersWhenAdmitted() []string {
	if s.kind != "Secret" {
		return s.rendered.Unknown
	}
	pointers := make([]string, len(s.rendered.Unknown))
	for i, pointer := range s.rendered.Unknown {
		pointers[i] = strings.Replace(pointer, "/stringData/", "/data/", 1)
	}
	return pointers
}

func (s *subject) decoded() (map[string]any, string) {
	gvk := schema.GroupVersionKind{Group: s.group, Version: s.version, Kind: s.kind}
	if !isBuiltIn(s.group) {
		return s.customDecoded()
	}
	typed, err := serverScheme().New(gvk)
	if err != nil {
		return nil, fmt.Sprintf("what the API server fills in for a %s of %s/%s is not known here", s.kind, s.group, s.version)
	}
	body := runtime.DeepCopyJSON(s.rendered.body())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(body, typed); err != nil {
		return nil, "it cannot be read as a " + s.kind
	}
	serverScheme().Default(typed)
	for _, version := range []schema.GroupVersion{{Group: s.group, Version: runtime.APIVersionInternal}, gvk.GroupVersion()} {
		if typed, err = serverScheme().ConvertToVersion(typed, version); err != nil {
			return nil, "it cannot be read as a " + s.kind
		}
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, "it cannot be read as a " + s.kind
	}
	return object, ""
}
