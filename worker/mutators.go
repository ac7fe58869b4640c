package main

import (
	"encoding/json"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// admissionMutator is what a MutatingAdmissionPolicy or a MutatingWebhookConfiguration may change, nil for another object.
func admissionMutator(s *subject) func(*subject) match {
	switch {
	case s.group == admissionGroup && s.kind == "MutatingAdmissionPolicy":
		return mutatingPolicy(s)
	case s.group == admissionGroup && s.kind == "MutatingWebhookConfiguration":
		return mutatingWebhook(s)
	}
	return nil
}

func mutatingPolicy(s *subject) func(*subject) match {
	var policy struct {
		Spec struct {
			MatchConstraints *admissionv1.MatchResources `json:"matchConstraints"`
		} `json:"spec"`
	}
	if json.Unmarshal(s.rendered.Body, &policy) != nil {
		return func(*subject) match { return open }
	}
	return func(other *subject) match { return selectedBy(other, policy.Spec.MatchConstraints) }
}

func mutatingWebhook(s *subject) func(*subject) match {
	var typed admissionv1.MutatingWebhookConfiguration
	if json.Unmarshal(s.rendered.Body, &typed) != nil {
		return func(*subject) match { return open }
	}
	var all []admissionv1.MatchResources
	for _, hook := range typed.Webhooks {
		rules := make([]admissionv1.NamedRuleWithOperations, len(hook.Rules))
		for i, rule := range hook.Rules {
			rules[i].RuleWithOperations = rule
		}
		all = append(all, admissionv1.MatchResources{NamespaceSelector: hook.NamespaceSelector, ObjectSelector: hook.ObjectSelector, ResourceRules: rules})
	}
	return func(other *subject) match {
		result := no
		for i := range all {
			result = max(result, selectedBy(other, &all[i]))
		}
		return result
	}
}
