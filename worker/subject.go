package main

import (
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// subject is one rendered object under judgement.
type subject struct {
	world                          *world
	rendered                       *rendered
	owner                          string
	index                          int
	group, version, kind, resource string
	namespace, name                string
	namespaced                     bool
	labels                         labelSet
	marking                        sync.Once
	marked                         map[string]any
	partial                        bool
	admitting                      sync.Once
	admitted                       map[string]any
	admittedPartial                bool
	refusal                        string
}

func newSubject(w *world, owner string, index int, object *rendered) *subject {
	body := object.body()
	apiVersion, _ := body["apiVersion"].(string)
	kind, _ := body["kind"].(string)
	metadata, _ := body["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return &subject{
		world: w, rendered: object, owner: owner, index: index, group: group, version: version, kind: kind, name: name, namespace: namespace,
	}
}

// settle finds out what needs the whole world: the resource's name and scope, which a CustomResourceDefinition may tell.
func (s *subject) settle() {
	if known, ok := s.world.resources[[2]string{s.group, s.kind}]; ok {
		s.resource, s.namespaced = known.plural, known.namespaced
	} else {
		guess, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Group: s.group, Version: s.version, Kind: s.kind})
		s.resource = guess.Resource
		s.namespaced = s.namespace != "" || isBuiltIn(s.group) && !isClusterScoped(s.group, s.kind)
	}
	if s.namespaced && s.namespace == "" {
		s.namespace = "default"
	}
	s.labels = labelsOf(s.rendered.body(), s.rendered.Unknown)
}

func (s *subject) reference() *reference { return &reference{Owner: s.owner, Index: s.index} }

// manifest is the object as it was rendered, what is not known in it marked as such; says whether there is something. Nobody may change it.
func (s *subject) manifest() (map[string]any, bool) {
	s.marking.Do(func() {
		s.marked = s.rendered.body()
		if len(s.rendered.Unknown) > 0 || mayBeMasked(s.rendered.Body) {
			s.marked, s.partial = withUnknowns(s.marked, s.rendered.Unknown)
		}
	})
	return s.marked, s.partial
}

func groupOf(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}
