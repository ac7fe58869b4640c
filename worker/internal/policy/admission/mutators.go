package admission

import (
	"encoding/json"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// Mutator is what a MutatingAdmissionPolicy or a MutatingWebhookConfiguration may change, nil for another object.
func Mutator(o *environment.Object) func(*environment.Object) selection.Match {
	switch {
	case o.Group == admissionGroup && o.Kind == "MutatingAdmissionPolicy":
		return mutatingPolicy(o)
	case o.Group == admissionGroup && o.Kind == "MutatingWebhookConfiguration":
		return mutatingWebhook(o)
	}
	return nil
}

func mutatingPolicy(o *environment.Object) func(*environment.Object) selection.Match {
	var policy struct {
		Spec struct {
			MatchConstraints *admissionv1.MatchResources `json:"matchConstraints"`
		} `json:"spec"`
	}
	if json.Unmarshal(o.Rendered.Body, &policy) != nil {
		return func(*environment.Object) selection.Match { return selection.Open }
	}
	return func(other *environment.Object) selection.Match {
		return selectedBy(other, policy.Spec.MatchConstraints)
	}
}

func mutatingWebhook(o *environment.Object) func(*environment.Object) selection.Match {
	var typed admissionv1.MutatingWebhookConfiguration
	if json.Unmarshal(o.Rendered.Body, &typed) != nil {
		return func(*environment.Object) selection.Match { return selection.Open }
	}
	var all []admissionv1.MatchResources
	for _, hook := range typed.Webhooks {
		rules := make([]admissionv1.NamedRuleWithOperations, len(hook.Rules))
		for i, rule := range hook.Rules {
			rules[i].RuleWithOperations = rule
		}
		all = append(all, admissionv1.MatchResources{NamespaceSelector: hook.NamespaceSelector, ObjectSelector: hook.ObjectSelector, ResourceRules: rules})
	}
	return func(other *environment.Object) selection.Match {
		result := selection.No
		for i := range all {
			result = max(result, selectedBy(other, &all[i]))
		}
		return result
	}
}
