package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"runtime"
	"slices"
	"sync"
)

// policiesRequest judges all that a scope rendered: with the repository's PolicyRules, and with the policies that it renders itself.
type policiesRequest struct {
	Scope   string       `json:"scope"`
	Version string       `json:"version"` // of Kubernetes, such as 1.36
	Rules   []policyRule `json:"rules"`
}

// statement is one thing that a policy says. Outcome is violated, changed (it would be), missing (an object beside it), invalid (the
// policy itself), unbound (it does nothing) or skipped. Line and Column count from 1 in the expression at Field.
type statement struct {
	Outcome  string     `json:"outcome"`
	Policy   reference  `json:"policy"`
	Field    []any      `json:"field,omitempty"`
	Object   *reference `json:"object,omitempty"`
	Severity string     `json:"severity,omitempty"`
	Message  string     `json:"message"`
	Line     int        `json:"line,omitempty"`
	Column   int        `json:"column,omitempty"`

	Expression string `json:"expression,omitempty"`
}

// reference is an object of a rendering, or a PolicyRule of the request by its index, then without an owner.
type reference struct {
	Owner string `json:"owner,omitempty"`
	Index int    `json:"index"`
}

// policy judges one object at a time, from several threads; about is the policy itself.
type policy interface {
	about() reference
	judge(*subject) []statement
}

// policies says everything that the policies say; a warm run does not ask them again about the same objects.
func (s *session) policies(r *policiesRequest) (json.RawMessage, error) {
	asked, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	rendered := s.scope(r.Scope).rendered()
	return s.verdict("policies", string(asked), rendered, func() any {
		if len(r.Rules) == 0 && !slices.ContainsFunc(rendered, holdsPolicy) {
			return []statement{}
		}
		return ask(newWorld(rendered), r)
	})
}

var policyMarks = [][]byte{
	[]byte("AdmissionPolicy"), []byte("kyverno.io"), []byte("gatekeeper.sh"), []byte("kubewarden.io"),
}

// holdsPolicy is quick and errs on the side of yes: without a policy no object has to be decoded.
func holdsPolicy(r *rendering) bool {
	return slices.ContainsFunc(r.objects(), func(object *rendered) bool {
		return slices.ContainsFunc(policyMarks, func(mark []byte) bool { return bytes.Contains(object.Body, mark) })
	})
}

func ask(w *world, r *policiesRequest) []statement {
	var policies []policy
	said := []statement{}
	for _, source := range []func(*world, *policiesRequest) ([]policy, []statement){repositoryRules, admissionPolicies, kyvernoPolicies, foreignPolicies} {
		found, statements := source(w, r)
		policies, said = append(policies, found...), append(said, statements...)
	}
	return append(said, foldSkipped(judgeAll(w.subjects, policies))...)
}

// judgeAll asks every policy about every object, over all cores; what they say comes in the order of the objects.
func judgeAll(subjects []*subject, policies []policy) []statement {
	if len(policies) == 0 {
		return nil
	}
	said := make([][]statement, len(subjects))
	var next sync.Mutex
	var workers sync.WaitGroup
	position := 0
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				first, last := position, min(position+64, len(subjects))
				position = last
				next.Unlock()
				if first == last {
					return
				}
				for i := first; i < last; i++ {
					for _, each := range policies {
						said[i] = append(said[i], judged(each, subjects[i])...)
					}
					subjects[i].forget()
				}
			}
		})
	}
	workers.Wait()
	return slices.Concat(said...)
}

// judged: where a library panics, that is no verdict on one object.
func judged(p policy, s *subject) (said []statement) {
	defer func() {
		if panicked := recover(); panicked != nil {
			message := "the evaluator panicked" + panicLine() + panicCause(panicked)
			said = []statement{{Outcome: "skipped", Policy: p.about(), Object: s.reference(), Message: message}}
		}
	}()
	return p.judge(s)
}

// foldSkipped leaves one statement for each policy of all the objects that it could not be asked about: the first one.
func foldSkipped(said []statement) []statement {
	seen := map[reference]bool{}
	kept := said[:0]
	for _, each := range said {
		if each.Outcome == "skipped" {
			if seen[each.Policy] {
				continue
			}
			seen[each.Policy] = true
			each.Severity, each.Field = "", nil
		}
		kept = append(kept, each)
	}
	return kept
}

// world is everything that an environment renders, as policies see it.
type world struct {
	subjects   []*subject
	namespaces map[string]*subject
	resources  map[[2]string]customResource // group and kind of rendered CustomResourceDefinitions
	parameters map[[2]string]bool           // group and kind of what policies are parametrised with
	finding    sync.Once
	mutators   []mutator
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

func bySubject(a, b *subject) int {
	return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.index, b.index))
}
