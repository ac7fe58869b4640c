package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

const kyvernoGroup = "kyverno.io"

// Kyverno leaves these alone unless somebody changes its settings.
var kyvernoLeaves = []string{"kube-system", "kube-public", "kube-node-lease", "kyverno"}

// kyvernoRule is a rule of a ClusterPolicy or a Policy that can be judged here, or one of those that Kyverno derives from it for what makes
// Pods.
type kyvernoRule struct {
	world    *world
	source   *subject
	index    int
	rule     map[string]any
	severity string
	message  string
	check    kyvernoCheck
}

// kyvernoCheck gives pass, fail, skip or open for an object that the rule is about.
type kyvernoCheck func(*subject, map[string]any) (outcome, string)

// kyvernoPolicies reads the policies of an environment. What is not exact here is one statement for each policy, with the reasons.
func kyvernoPolicies(w *world, _ *policiesRequest) (policies []policy, said []statement) {
	for _, s := range w.subjects {
		if s.group != kyvernoGroup || s.kind != "ClusterPolicy" && s.kind != "Policy" {
			continue
		}
		rules, reasons := kyvernoRules(s)
		for _, rule := range rules {
			policies = append(policies, rule)
		}
		if len(reasons) > 0 {
			slices.Sort(reasons)
			said = append(said, statement{Outcome: "skipped", Policy: *s.reference(), Message: strings.Join(slices.Compact(reasons), "; ")})
		}
	}
	return policies, said
}

func kyvernoRules(s *subject) (rules []*kyvernoRule, reasons []string) {
	if reason := kyvernoObstacle(s); reason != "" {
		return nil, []string{reason}
	}
	spec, _ := s.rendered.body()["spec"].(map[string]any)
	controllers := autogen(s, spec)
	list, _ := spec["rules"].([]any)
	for i, each := range list {
		rule, _ := each.(map[string]any)
		for _, variant := range variantsOf(rule, controllers) {
			made := &kyvernoRule{world: s.world, source: s, index: i, rule: variant}
			if reason := made.prepare(spec); reason != "" {
				reasons = append(reasons, reason)
				break
			}
			rules = append(rules, made)
		}
	}
	return rules, reasons
}

// kyvernoObstacle is what keeps the whole policy from being judged.
func kyvernoObstacle(s *subject) string {
	if len(s.rendered.Unknown) > 0 {
		return "parts of the policy are not known here"
	}
	for _, each := range s.world.subjects {
		if each.group == kyvernoGroup && each.kind == "PolicyException" && bytes.Contains(each.rendered.Body, []byte(`"`+s.name+`"`)) {
			return "PolicyException " + each.name + " makes exceptions from it"
		}
	}
	return ""
}

// prepare finds what the rule checks; says why it cannot be judged here.
func (k *kyvernoRule) prepare(spec map[string]any) string {
	for _, field := range []string{"mutate", "generate", "verifyImages"} {
		if k.rule[field] != nil {
			return "what Kyverno makes of " + field + " is not worked out here"
		}
	}
	if context, _ := k.rule["context"].([]any); len(context) > 0 {
		return "it looks things up in the cluster (context)"
	}
	validate, _ := k.rule["validate"].(map[string]any)
	if validate == nil {
		return "it validates nothing"
	}
	k.severity = kyvernoSeverity(spec, validate)
	if k.severity == "" {
		return "its failure action differs between namespaces"
	}
	k.message, _ = validate["message"].(string)
	if strings.Contains(k.message, "{{") {
		k.message = ""
	}
	if reason := filterObstacle(k.rule["match"]) + filterObstacle(k.rule["exclude"]); reason != "" {
		return reason
	}
	if _, reason := conditionsOf(k.rule["preconditions"]); reason != "" {
		return reason
	}
	check, reason := kyvernoCheckOf(k.rule, validate)
	k.check = check
	return reason
}

func kyvernoSeverity(spec, validate map[string]any) string {
	if validate["failureActionOverrides"] != nil || spec["validationFailureActionOverrides"] != nil {
		return ""
	}
	action, _ := validate["failureAction"].(string)
	if action == "" {
		action, _ = spec["validationFailureAction"].(string)
	}
	switch {
	case strings.EqualFold(action, "Enforce"):
		return "error"
	case spec["emitWarning"] == true:
		return "warning"
	}
	return "info"
}

func kyvernoCheckOf(rule, validate map[string]any) (kyvernoCheck, string) {
	for _, field := range []string{"foreach", "podSecurity", "manifests", "assert"} {
		if validate[field] != nil {
			return nil, "validate." + field + " is not evaluated here"
		}
	}
	switch {
	case validate["pattern"] != nil:
		return patternCheck([]any{validate["pattern"]})
	case validate["anyPattern"] != nil:
		patterns, _ := validate["anyPattern"].([]any)
		return patternCheck(patterns)
	case validate["deny"] != nil:
		return denyCheck(validate["deny"])
	case validate["cel"] != nil:
		return celCheck(rule, validate["cel"])
	}
	return nil, "it validates with something that is not known here"
}

func (k *kyvernoRule) about() reference { return *k.source.reference() }

func (k *kyvernoRule) says(s *subject, outcome, message string) statement {
	field := []any{"spec", "rules", k.index}
	return statement{Outcome: outcome, Policy: k.about(), Field: field, Object: s.reference(), Severity: k.severity, Message: message}
}

func (k *kyvernoRule) judge(s *subject) []statement {
	matches := k.matches(s)
	if matches == no {
		return nil
	}
	if matches == open {
		return []statement{k.says(s, "skipped", "it cannot be known here whether it is meant")}
	}
	object, _, refusal := s.admission()
	if refusal != "" {
		return []statement{k.says(s, "skipped", refusal)}
	}
	conditions, _ := conditionsOf(k.rule["preconditions"])
	applies, reason := conditions.holds(s, object)
	verdict := pass
	switch {
	case applies == no:
		return nil
	case applies == open:
		verdict = undecided
	default:
		verdict, reason = k.check(s, object)
	}
	if verdict == undecided {
		return []statement{k.says(s, "skipped", reason)}
	}
	if verdict != fail {
		return nil
	}
	if changes := k.world.changedFirst(s); changes != "" {
		return []statement{k.says(s, "skipped", changes+" may change objects before they are judged")}
	}
	message := cmp.Or(k.message, reason)
	if message == "" {
		name, _ := k.rule["name"].(string)
		message = "rule " + name + " is not met"
	}
	return []statement{k.says(s, "violated", oneLine(message))}
}

// celCheck runs validate.cel as a ValidatingAdmissionPolicy.
func celCheck(rule map[string]any, written any) (kyvernoCheck, string) {
	said, _ := written.(map[string]any)
	if said["paramKind"] != nil {
		return nil, "validate.cel with parameters is not evaluated here"
	}
	var spec struct {
		Expressions     []admissionv1.Validation
		Variables       []admissionv1.Variable
		MatchConditions []admissionv1.MatchCondition
	}
	text, err := json.Marshal(map[string]any{"expressions": said["expressions"], "variables": said["variables"], "matchConditions": rule["celPreconditions"]})
	if err != nil || json.Unmarshal(text, &spec) != nil {
		return nil, "validate.cel cannot be read"
	}
	policy := &boundPolicy{spec: &admissionv1.ValidatingAdmissionPolicySpec{
		Validations: spec.Expressions, Variables: spec.Variables, MatchConditions: spec.MatchConditions,
	}}
	if faults := policy.compiled(kyvernoKubernetes); len(faults) > 0 {
		return nil, "an expression does not compile: " + faults[0].Message
	}
	return func(s *subject, object map[string]any) (outcome, string) {
		in := policy.library.input(object, s.admittedPartial)
		in.namespace, in.request = s.namespaceObject(), s.request()
		switch applies, err := policy.applies(in); {
		case err != nil || applies == open:
			return undecided, errUnknown.Error()
		case applies == no:
			return pass, ""
		}
		for _, validation := range policy.validations {
			value, err := validation.expression.evaluate(in)
			switch {
			case err != nil:
				return undecided, oneLine(err.Error())
			case value != types.True:
				return fail, celMessage(validation.message, validation.text, validation.expression.text, in)
			}
		}
		return pass, ""
	}, ""
}

// The version of CEL's environment that Kyverno compiles with is its own; every version that is in use knows at least this.
const kyvernoKubernetes = "1.33"

// kyvernoMutator is what a policy of Kyverno's may change, nil for another object.
func kyvernoMutator(s *subject) func(*subject) match {
	if s.group != kyvernoGroup || s.kind != "ClusterPolicy" && s.kind != "Policy" {
		return nil
	}
	rules := mutatingRules(s)
	if len(rules) == 0 {
		return nil
	}
	return func(other *subject) match {
		result := no
		for _, rule := range rules {
			result = max(result, rule.matches(other))
		}
		return result
	}
}

func mutatingRules(s *subject) (rules []*kyvernoRule) {
	spec, _ := s.rendered.body()["spec"].(map[string]any)
	controllers := autogen(s, spec)
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
