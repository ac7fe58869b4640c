// Package policy evaluates the policies of an environment against the objects that it renders.
package policy

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"sync"

	"devloop.invalid/toolchain/worker/internal/cache"
	"devloop.invalid/toolchain/worker/internal/crash"
	"devloop.invalid/toolchain/worker/internal/policy/admission"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/kyverno"
	"devloop.invalid/toolchain/worker/internal/policy/policyrule"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/scope"
)

// Evaluate says everything that the policies say; a warm run does not ask them again about the same objects.
func Evaluate(earlier *cache.Results, of *scope.Scope, request *protocol.PolicyRequest) (json.RawMessage, error) {
	asked, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	renderings := of.Renderings()
	return scope.CachedCheck(earlier, "policies", string(asked), renderings, func() any {
		if len(request.Rules) == 0 && !slices.ContainsFunc(renderings, holdsPolicy) {
			return []protocol.PolicyResult{}
		}
		return evaluateAll(environment.New(renderings), request)
	})
}

var policyMarks = [][]byte{
	[]byte("AdmissionPolicy"), []byte("kyverno.io"), []byte("gatekeeper.sh"), []byte("kubewarden.io"),
}

// holdsPolicy is quick and errs on the side of yes: without a policy no object has to be decoded.
func holdsPolicy(r *scope.Rendering) bool {
	return slices.ContainsFunc(r.Objects(), func(object *scope.Object) bool {
		return slices.ContainsFunc(policyMarks, func(mark []byte) bool { return bytes.Contains(object.Body, mark) })
	})
}

func evaluateAll(env *environment.Environment, request *protocol.PolicyRequest) []protocol.PolicyResult {
	var policies []environment.Policy
	results := []protocol.PolicyResult{}
	env.MutatorOf = []func(*environment.Object) func(*environment.Object) selection.Match{admission.Mutator, gatekeeperMutator, kyverno.Mutator}
	for _, source := range []func(*environment.Environment, *protocol.PolicyRequest) ([]environment.Policy, []protocol.PolicyResult){policyrule.Policies, admission.Policies, kyverno.Policies, otherEngines} {
		found, statements := source(env, request)
		policies, results = append(policies, found...), append(results, statements...)
	}
	return append(results, mergeSkipped(evaluateObjects(env.Objects, policies))...)
}

// evaluateObjects asks every policy about every object, over all cores; what they say comes in the order of the objects.
func evaluateObjects(objects []*environment.Object, policies []environment.Policy) []protocol.PolicyResult {
	if len(policies) == 0 {
		return nil
	}
	said := make([][]protocol.PolicyResult, len(objects))
	var next sync.Mutex
	var workers sync.WaitGroup
	position := 0
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				first, last := position, min(position+64, len(objects))
				position = last
				next.Unlock()
				if first == last {
					return
				}
				for i := first; i < last; i++ {
					for _, each := range policies {
						said[i] = append(said[i], evaluateOne(each, objects[i])...)
					}
					objects[i].Forget()
				}
			}
		})
	}
	workers.Wait()
	return slices.Concat(said...)
}

// evaluateOne: where a library panics, that is no verdict on one object.
func evaluateOne(p environment.Policy, o *environment.Object) (results []protocol.PolicyResult) {
	defer func() {
		if panicked := recover(); panicked != nil {
			message := "the evaluator panicked" + crash.Location() + crash.Cause(panicked)
			results = []protocol.PolicyResult{{Outcome: protocol.OutcomeSkipped, Policy: p.About(), Object: o.Reference(), Message: message}}
		}
	}()
	return p.Evaluate(o)
}

// mergeSkipped leaves one statement for each policy of all the objects that it could not be asked about: the first one.
func mergeSkipped(results []protocol.PolicyResult) []protocol.PolicyResult {
	seen := map[protocol.ObjectReference]bool{}
	merged := results[:0]
	for _, each := range results {
		if each.Outcome == protocol.OutcomeSkipped {
			if seen[each.Policy] {
				continue
			}
			seen[each.Policy] = true
			each.Severity, each.Field = "", nil
		}
		merged = append(merged, each)
	}
	return merged
}
