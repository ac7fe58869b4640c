package main

import (
	"sync"
)

// world is everything that an environment renders, as policies see it.
type world struct {
	subjects   []*subject
	namespaces map[string]*subject
	resources  map[[2]string]customResource // group and kind of rendered CustomResourceDefinitions
	parameters map[[2]string]bool           // group and kind of what policies are parametrised with
	finding    sync.Once
	mutators   []mutator
	mutatorOf  []func(*subject) func(*subject) match // what an object may change, by engine; nil for another object
}

func newWorld(renderings []*rendering) *world {
	w := &world{namespaces: map[string]*subject{}, resources: map[[2]string]customResource{}, parameters: map[[2]string]bool{}}
	for _, each := range renderings {
		for i, object := range each.objects() {
			s := newSubject(w, each.owner, i, object)
			w.subjects = append(w.subjects, s)
			switch {
			case s.kind == "Namespace" && s.group == "":
				w.namespaces[s.name] = s
			case s.kind == "CustomResourceDefinition" && s.group == "apiextensions.k8s.io":
				known, group, kind := newCustomResource(object.body())
				w.resources[[2]string{group, kind}] = known
			}
		}
	}
	for _, s := range w.subjects {
		s.settle()
	}
	return w
}

// ofKind gives the objects of a kind, in their order.
func (w *world) ofKind(group, kind string) []*subject {
	return keep(w.subjects, func(s *subject) bool { return s.group == group && s.kind == kind })
}

// mutator is something that an environment renders and that may change objects before anything validates them.
type mutator struct {
	name    string
	changes func(*subject) match
}

// changedFirst names what may change the object before policies judge it, ” where nothing rendered here does.
func (w *world) changedFirst(s *subject) string {
	w.finding.Do(func() { w.mutators = w.findMutators() })
	for _, each := range w.mutators {
		if each.changes(s) != no {
			return each.name
		}
	}
	return ""
}

func (w *world) findMutators() (found []mutator) {
	for _, s := range w.subjects {
		for _, of := range w.mutatorOf {
			if changes := of(s); changes != nil {
				found = append(found, mutator{s.kind + " " + s.name, changes})
			}
		}
	}
	return found
}
