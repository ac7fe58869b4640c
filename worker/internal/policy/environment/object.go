package environment

import (
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/mask"
	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// Object is one rendered object as policies see it.
type Object struct {
	Environment                    *Environment
	Rendered                       *scope.Object
	owner                          string
	index                          int
	Group, Version, Kind, Resource string
	Namespace, Name                string
	Namespaced                     bool
	Labels                         selection.Labels
	marking                        sync.Once
	marked                         map[string]any
	partial                        bool
	admitting                      sync.Once
	admitted                       map[string]any
	AdmittedPartial                bool
	refusal                        string
}

func newObject(env *Environment, owner string, index int, object *scope.Object) *Object {
	body := object.Fields()
	apiVersion, _ := body["apiVersion"].(string)
	kind, _ := body["kind"].(string)
	metadata, _ := body["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return &Object{
		Environment: env, Rendered: object, owner: owner, index: index, Group: group, Version: version, Kind: kind, Name: name, Namespace: namespace,
	}
}

// resolveKind finds the resource's name and scope, which a CustomResourceDefinition of the environment may define.
func (o *Object) resolveKind() {
	if known, ok := o.Environment.resources[[2]string{o.Group, o.Kind}]; ok {
		o.Resource, o.Namespaced = known.plural, known.namespaced
	} else {
		guess, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Group: o.Group, Version: o.Version, Kind: o.Kind})
		o.Resource = guess.Resource
		o.Namespaced = o.Namespace != "" || kubernetes.IsBuiltIn(o.Group) && !kubernetes.IsClusterScoped(o.Group, o.Kind)
	}
	if o.Namespaced && o.Namespace == "" {
		o.Namespace = "default"
	}
	o.Labels = selection.ParseLabels(o.Rendered.Fields(), o.Rendered.Unknown)
}

// Reference is the object in an answer.
func (o *Object) Reference() *protocol.ObjectReference {
	return &protocol.ObjectReference{Owner: o.owner, Index: o.index}
}

// Manifest is the object as it was rendered, what is not known in it marked as such; says whether there is something. Nobody may change it.
func (o *Object) Manifest() (map[string]any, bool) {
	o.marking.Do(func() {
		o.marked = o.Rendered.Fields()
		if len(o.Rendered.Unknown) > 0 || mask.MayBeMasked(o.Rendered.Body) {
			o.marked, o.partial = cel.WithUnknowns(o.marked, o.Rendered.Unknown)
		}
	})
	return o.marked, o.partial
}

// GroupOf is the API group of an apiVersion.
func GroupOf(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}
