package main

import (
	"strings"
)

// Policies whose engines are not here, by API group: why they are skipped.
var foreignEngines = map[string]string{
	"constraints.gatekeeper.sh": "Gatekeeper's constraints are written in Rego, which is not run here",
	"templates.gatekeeper.sh":   "Gatekeeper's templates are written in Rego, which is not run here",
	"mutations.gatekeeper.sh":   "what Gatekeeper would change is not worked out here",
	"policies.kyverno.io":       "Kyverno's policies of this API are not run here",
	"policies.kubewarden.io":    "Kubewarden's policies are programs of their own, which are not run here",
}

// foreignPolicies names the policies that are judged by the cluster alone.
func foreignPolicies(w *world, _ *policiesRequest) ([]policy, []statement) {
	var said []statement
	for _, s := range w.subjects {
		reason := foreignEngines[s.group]
		if s.group == "admissionregistration.k8s.io" && s.kind == "MutatingAdmissionPolicy" {
			reason = "what merging its patches gives hangs on the API server's schemas"
		}
		if reason != "" && !strings.HasSuffix(s.kind, "Exception") {
			said = append(said, statement{Outcome: "skipped", Policy: *s.reference(), Message: reason})
		}
	}
	return nil, said
}

// foreignMutator is what a mutation of Gatekeeper's may change, nil for another object.
func foreignMutator(s *subject) func(*subject) match {
	if s.group != "mutations.gatekeeper.sh" {
		return nil
	}
	return func(*subject) match { return open }
}
