// Package environment shows policies the objects of an environment, as they were rendered and as the API server would admit them.
package environment

import (
	"sync"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// Environment is everything that an environment renders, as policies see it.
type Environment struct {
	Objects    []*Object
	namespaces map[string]*Object
	resources  map[[2]string]customResource // group and kind of rendered CustomResourceDefinitions
	Parameters map[[2]string]bool           // group and kind of what policies are parametrised with
	finding    sync.Once
	mutators   []mutator
	MutatorOf  []func(*Object) func(*Object) selection.Match // what an object may change, by engine; nil for another object
}

// New takes everything that an environment rendered.
func New(renderings []*scope.Rendering) *Environment {
	env := &Environment{namespaces: map[string]*Object{}, resources: map[[2]string]customResource{}, Parameters: map[[2]string]bool{}}
	for _, each := range renderings {
		for i, object := range each.Objects() {
			o := newObject(env, each.Owner, i, object)
			env.Objects = append(env.Objects, o)
			switch {
			case o.Kind == "Namespace" && o.Group == "":
				env.namespaces[o.Name] = o
			case o.Kind == "CustomResourceDefinition" && o.Group == "apiextensions.k8s.io":
				known, group, kind := newCustomResource(object.Fields())
				env.resources[[2]string{group, kind}] = known
			}
		}
	}
	for _, o := range env.Objects {
		o.resolveKind()
	}
	return env
}

// OfKind gives the objects of a kind, in their order.
func (env *Environment) OfKind(group, kind string) []*Object {
	return collect.Filter(env.Objects, func(o *Object) bool { return o.Group == group && o.Kind == kind })
}

// mutator is something that an environment renders and that may change objects before anything validates them.
type mutator struct {
	name    string
	changes func(*Object) selection.Match
}

// MutatedBy names what may change the object before it is validated, "" where nothing in the environment does.
func (env *Environment) MutatedBy(o *Object) string {
	env.finding.Do(func() { env.mutators = env.findMutators() })
	for _, each := range env.mutators {
		if each.changes(o) != selection.No {
			return each.name
		}
	}
	return ""
}

func (env *Environment) findMutators() (found []mutator) {
	for _, o := range env.Objects {
		for _, of := range env.MutatorOf {
			if changes := of(o); changes != nil {
				found = append(found, mutator{o.Kind + " " + o.Name, changes})
			}
		}
	}
	return found
}
