package main

import (
	"encoding/json"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

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
		name := s.kind + " " + s.name
		switch {
		case s.group == admissionGroup && s.kind == "MutatingAdmissionPolicy":
			found = append(found, mutator{name, s.mutatingPolicy()})
		case s.group == admissionGroup && s.kind == "MutatingWebhookConfiguration":
			found = append(found, mutator{name, s.mutatingWebhook()})
		case s.group == "mutations.gatekeeper.sh":
			found = append(found, mutator{name, func(*subject) match { return open }})
		case s.group == kyvernoGroup && (s.kind == "ClusterPolicy" || s.kind == "Policy"):
			if rules := s.mutatingRules(); len(rules) > 0 {
				found = append(found, mutator{name, func(other *subject) match {
					result := no
					for _, rule := range rules {
						result = max(result, rule.matches(other))
					}
					return result
				}})
			}
		}
	}
	return found
}

func (s *subject) mutatingRules() (rules []*kyvernoRule) {
	spec, _ := s.rendered.body()["spec"].(map[string]any)
	controllers := s.autogen(spec)
	list, _ := spec["rules"].([]any)
	for i, each := range list {
		rule, _ := each.(map[string]any)
		mutate, _ := rule["mutate"].(map[string]any)
		if mutate == nil || mutate["targets"] != nil {
			continue
		}
		for _, variant := range variantsOf(rule, controllers) {
			rules = append(rules, &kyvernoRule{world: s.world, source: s, index: i, rule: variant})
		}
	}
	return rules
}

func (s *subject) mutatingPolicy() func(*subject) match {
	var spec struct {
		MatchConstraints *admissionv1.MatchResources `json:"matchConstraints"`
	}
	if json.Unmarshal(asJSON(s.rendered.body()["spec"]), &spec) != nil {
		return func(*subject) match { return open }
	}
	return func(other *subject) match { return other.selectedBy(spec.MatchConstraints) }
}

func (s *subject) mutatingWebhook() func(*subject) match {
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
			result = max(result, other.selectedBy(&all[i]))
		}
		return result
	}
}
