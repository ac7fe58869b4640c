// Package kyverno evaluates the rules of Kyverno's policies that need no cluster.
package kyverno

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"

	"devloop.invalid/toolchain/worker/internal/policy/admission"
	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

const apiGroup = "kyverno.io"

// The namespaces that Kyverno skips by default.
var skippedNamespaces = []string{"kube-system", "kube-public", "kube-node-lease", "kyverno"}

// compiledRule is a rule of a ClusterPolicy or a Policy that can be evaluated here, or one of those that Kyverno derives from it for what makes
// Pods.
type compiledRule struct {
	world    *environment.Environment
	source   *environment.Object
	index    int
	rule     map[string]any
	severity string
	message  string
	check    checkFunc
}

// checkFunc gives pass, fail, skip or open for an object that the rule is about.
type checkFunc func(*environment.Object, map[string]any) (outcome, string)

// Policies reads the policies of an environment. What is not exact here is one statement for each policy, with the reasons.
func Policies(env *environment.Environment, _ *protocol.PolicyRequest) (policies []environment.Policy, results []protocol.PolicyResult) {
	for _, o := range env.Objects {
		if o.Group != apiGroup || o.Kind != "ClusterPolicy" && o.Kind != "Policy" {
			continue
		}
		rules, reasons := rulesOf(o)
		for _, rule := range rules {
			policies = append(policies, rule)
		}
		if len(reasons) > 0 {
			slices.Sort(reasons)
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeSkipped, Policy: *o.Reference(), Message: strings.Join(slices.Compact(reasons), "; ")})
		}
	}
	return policies, results
}

func rulesOf(o *environment.Object) (rules []*compiledRule, reasons []string) {
	if reason := obstacle(o); reason != "" {
		return nil, []string{reason}
	}
	spec, _ := o.Rendered.Fields()["spec"].(map[string]any)
	controllers := autogen(o, spec)
	list, _ := spec["rules"].([]any)
	for i, each := range list {
		rule, _ := each.(map[string]any)
		for _, variant := range variantsOf(rule, controllers) {
			made := &compiledRule{world: o.Environment, source: o, index: i, rule: variant}
			if reason := made.prepare(spec); reason != "" {
				reasons = append(reasons, reason)
				break
			}
			rules = append(rules, made)
		}
	}
	return rules, reasons
}

// obstacle is what keeps the whole policy from being evaluated.
func obstacle(o *environment.Object) string {
	if len(o.Rendered.Unknown) > 0 {
		return "parts of the policy are not known here"
	}
	for _, each := range o.Environment.Objects {
		if each.Group == apiGroup && each.Kind == "PolicyException" && bytes.Contains(each.Rendered.Body, []byte(`"`+o.Name+`"`)) {
			return "PolicyException " + each.Name + " makes exceptions from it"
		}
	}
	return ""
}

// prepare finds what the rule checks; says why it cannot be evaluated here.
func (k *compiledRule) prepare(spec map[string]any) string {
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
	k.severity = severity(spec, validate)
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
	check, reason := checkOf(k.rule, validate)
	k.check = check
	return reason
}

func severity(spec, validate map[string]any) string {
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

func checkOf(rule, validate map[string]any) (checkFunc, string) {
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

// About is the policy of the rule as an object.
func (k *compiledRule) About() protocol.ObjectReference { return *k.source.Reference() }

func (k *compiledRule) result(o *environment.Object, outcome protocol.PolicyOutcome, message string) protocol.PolicyResult {
	field := []any{"spec", "rules", k.index}
	return protocol.PolicyResult{Outcome: outcome, Policy: k.About(), Field: field, Object: o.Reference(), Severity: k.severity, Message: message}
}

// Evaluate evaluates the rule against one object.
func (k *compiledRule) Evaluate(o *environment.Object) []protocol.PolicyResult {
	matches := k.matches(o)
	if matches == selection.No {
		return nil
	}
	if matches == selection.Open {
		return []protocol.PolicyResult{k.result(o, protocol.OutcomeSkipped, "it cannot be known here whether it is meant")}
	}
	object, _, refusal := o.Admitted()
	if refusal != "" {
		return []protocol.PolicyResult{k.result(o, protocol.OutcomeSkipped, refusal)}
	}
	conditions, _ := conditionsOf(k.rule["preconditions"])
	applies, reason := conditions.holds(o, object)
	verdict := pass
	switch {
	case applies == selection.No:
		return nil
	case applies == selection.Open:
		verdict = undecided
	default:
		verdict, reason = k.check(o, object)
	}
	if verdict == undecided {
		return []protocol.PolicyResult{k.result(o, protocol.OutcomeSkipped, reason)}
	}
	if verdict != fail {
		return nil
	}
	if changes := k.world.MutatedBy(o); changes != "" {
		return []protocol.PolicyResult{k.result(o, protocol.OutcomeSkipped, changes+" may change objects before they are judged")}
	}
	message := cmp.Or(k.message, reason)
	if message == "" {
		name, _ := k.rule["name"].(string)
		message = "rule " + name + " is not met"
	}
	return []protocol.PolicyResult{k.result(o, protocol.OutcomeViolated, cel.OneLine(message))}
}

// celCheck runs validate.cel as a ValidatingAdmissionPolicy.
func celCheck(rule map[string]any, written any) (checkFunc, string) {
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
	policy := &admission.BoundPolicy{Spec: &admissionv1.ValidatingAdmissionPolicySpec{
		Validations: spec.Expressions, Variables: spec.Variables, MatchConditions: spec.MatchConditions,
	}}
	if faults := policy.Compile(celVersion); len(faults) > 0 {
		return nil, "an expression does not compile: " + faults[0].Message
	}
	return func(o *environment.Object, object map[string]any) (outcome, string) {
		in := policy.Library.Input(object, o.AdmittedPartial)
		in.Namespace, in.Request = o.NamespaceObject(), o.Request()
		switch applies, err := policy.Applies(in); {
		case err != nil || applies == selection.Open:
			return undecided, cel.ErrUnknown.Error()
		case applies == selection.No:
			return pass, ""
		}
		for _, validation := range policy.Validations {
			value, err := validation.Expression.Evaluate(in)
			switch {
			case err != nil:
				return undecided, cel.OneLine(err.Error())
			case value != types.True:
				return fail, cel.Message(validation.Message, validation.Text, validation.Expression.Text, in)
			}
		}
		return pass, ""
	}, ""
}

// The version of CEL's environment that Kyverno compiles with is its own; every version that is in use knows at least this.
const celVersion = "1.33"

// Mutator is what a policy of Kyverno's may change, nil for another object.
func Mutator(o *environment.Object) func(*environment.Object) selection.Match {
	if o.Group != apiGroup || o.Kind != "ClusterPolicy" && o.Kind != "Policy" {
		return nil
	}
	rules := mutatingRules(o)
	if len(rules) == 0 {
		return nil
	}
	return func(other *environment.Object) selection.Match {
		result := selection.No
		for _, rule := range rules {
			result = max(result, rule.matches(other))
		}
		return result
	}
}

func mutatingRules(o *environment.Object) (rules []*compiledRule) {
	spec, _ := o.Rendered.Fields()["spec"].(map[string]any)
	controllers := autogen(o, spec)
	list, _ := spec["rules"].([]any)
	for i, each := range list {
		rule, _ := each.(map[string]any)
		mutate, _ := rule["mutate"].(map[string]any)
		if mutate == nil || mutate["targets"] != nil {
			continue
		}
		for _, variant := range variantsOf(rule, controllers) {
			rules = append(rules, &compiledRule{world: o.Environment, source: o, index: i, rule: variant})
		}
	}
	return rules
}
