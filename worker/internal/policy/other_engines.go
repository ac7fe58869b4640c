package policy

import (
	"strings"

	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// Policies whose engines are not here, by API group: why they are skipped.
var unsupportedEngines = map[string]string{
	"constraints.gatekeeper.sh": "Gatekeeper's constraints are written in Rego, which is not run here",
	"templates.gatekeeper.sh":   "Gatekeeper's templates are written in Rego, which is not run here",
	"mutations.gatekeeper.sh":   "what Gatekeeper would change is not worked out here",
	"policies.kyverno.io":       "Kyverno's policies of this API are not run here",
	"policies.kubewarden.io":    "Kubewarden's policies are programs of their own, which are not run here",
}

// otherEngines names the policies that only the cluster evaluates.
func otherEngines(env *environment.Environment, _ *protocol.PolicyRequest) ([]environment.Policy, []protocol.PolicyResult) {
	var results []protocol.PolicyResult
	for _, o := range env.Objects {
		reason := unsupportedEngines[o.Group]
		if o.Group == "admissionregistration.k8s.io" && o.Kind == "MutatingAdmissionPolicy" {
			reason = "what merging its patches gives depends on the API server's schemas"
		}
		if reason != "" && !strings.HasSuffix(o.Kind, "Exception") {
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeSkipped, Policy: *o.Reference(), Message: reason})
		}
	}
	return nil, results
}

// gatekeeperMutator is what a mutation of Gatekeeper's may change, nil for another object.
func gatekeeperMutator(o *environment.Object) func(*environment.Object) selection.Match {
	if o.Group != "mutations.gatekeeper.sh" {
		return nil
	}
	return func(*environment.Object) selection.Match { return selection.Open }
}
