package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
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

// filledIn are the fields that the server's registries and admission plugins set, by kind, [] for every item of a list. With an
// exclamation mark they change what is there; the others are only filled in where nothing is, and not always.
var filledIn = map[string][]string{
	"Pod": {
		"status!", "spec.volumes!", "spec.tolerations!", "spec.priority!", "spec.preemptionPolicy!", "spec.serviceAccountName",
		"spec.serviceAccount", "spec.imagePullSecrets", "spec.overhead", "spec.nodeSelector", "spec.containers.[].volumeMounts!",
		"spec.containers.[].resources", "spec.containers.[].imagePullPolicy", "spec.initContainers.[].volumeMounts!",
		"spec.initContainers.[].resources",
	},
	"Service": {
		"spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy", "spec.healthCheckNodePort", "spec.ports.[].nodePort",
	},
	"PersistentVolumeClaim": {"spec.storageClassName", "metadata.finalizers!"},
	"PersistentVolume":      {"metadata.finalizers!"},
	"Namespace":             {"spec!", "status!"},
	"Ingress":               {"spec.ingressClassName"},
	"Job":                   {"spec.selector!", "spec.template.metadata.labels!"},
	"ServiceAccount":        {"secrets"},
}

// markFilledIn makes a field unknown, and whether it is there as well.
func markFilledIn(parent map[string]any, path []string) {
	name := path[0]
	if len(path) > 1 && path[1] == "[]" {
		items, _ := parent[name].([]any)
		for i, item := range items {
			if object, ok := item.(map[string]any); ok {
				markFilledIn(object, path[2:])
				items[i] = object
			}
		}
		return
	}
	if len(path) > 1 {
		if child, ok := parent[name].(map[string]any); ok {
			markFilledIn(child, path[1:])
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
			return &uncertainMap{Mapper: types.NewStringInterfaceMap(types.DefaultTypeAdapter, value), plain: value, hidden: hidden}
		}
	case []any:
		for i, item := range value {
			value[i] = uncertain(item)
		}
	}
	return value
}

// uncertainParts leaves the object itself a plain mapping.
func uncertainParts(object map[string]any) {
	for key, value := range object {
		if _, ok := value.(perhaps); ok {
			object[key] = unknownPart
		} else {
			object[key] = uncertain(value)
		}
	}
}

// uncertainMap is a mapping of which nobody can tell whether it has the hidden keys.
type uncertainMap struct {
	traits.Mapper
	plain  map[string]any
	hidden map[string]bool
}

func (m *uncertainMap) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok && m.hidden[string(name)] {
		return unknownPart, true
	}
	return m.Mapper.Find(key)
}

func (m *uncertainMap) Get(key ref.Val) ref.Val {
	value, found := m.Find(key)
	if !found {
		return types.NewErr("no such key: %v", key)
	}
	return value
}

func (m *uncertainMap) Contains(key ref.Val) ref.Val {
	value, found := m.Find(key)
	if types.IsError(value) {
		return value
	}
	return types.Bool(found)
}

func (m *uncertainMap) Size() ref.Val { return unknownPart }

func (m *uncertainMap) Equal(ref.Val) ref.Val { return unknownPart }

var serverScheme = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range served {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
})
