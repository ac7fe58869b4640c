package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"sync"
)

// judgePolicies says everything that the policies say; a warm run does not ask them again about the same objects.
func judgePolicies(earlier *results, of *scope, r *policiesRequest) (json.RawMessage, error) {
	asked, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	renderings := of.rendered()
	return cachedCheck(earlier, "policies", string(asked), renderings, func() any {
		if len(r.Rules) == 0 && !slices.ContainsFunc(renderings, holdsPolicy) {
			return []statement{}
		}
		return ask(newWorld(renderings), r)
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
	w.mutatorOf = []func(*subject) func(*subject) match{admissionMutator, foreignMutator, kyvernoMutator}
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
