// Package admission evaluates ValidatingAdmissionPolicies.
package admission

import (
	"fmt"
	"slices"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

const admissionGroup = "admissionregistration.k8s.io"

// BoundPolicy is a ValidatingAdmissionPolicy with one of its bindings, compiled.
type BoundPolicy struct {
	world       *environment.Environment
	source      *environment.Object
	Spec        *admissionv1.ValidatingAdmissionPolicySpec
	binding     *admissionv1.ValidatingAdmissionPolicyBindingSpec
	severity    string
	Library     *cel.Library
	conditions  []*cel.Expression
	Validations []compiledValidation
}

type compiledValidation struct {
	Expression, Message *cel.Expression
	Text                string
}

// Policies finds the ValidatingAdmissionPolicies of an environment, with the bindings that put them in force.
func Policies(env *environment.Environment, request *protocol.PolicyRequest) (policies []environment.Policy, results []protocol.PolicyResult) {
	bindings := map[string][]*environment.Object{}
	for _, o := range env.OfKind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		spec, _ := o.Rendered.Fields()["spec"].(map[string]any)
		name, _ := spec["policyName"].(string)
		bindings[name] = append(bindings[name], o)
	}
	for _, o := range env.OfKind(admissionGroup, "ValidatingAdmissionPolicy") {
		found := bindings[o.Name]
		delete(bindings, o.Name)
		if len(found) == 0 {
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeUnbound, Policy: *o.Reference(), Message: "no ValidatingAdmissionPolicyBinding names it, so it does nothing"})
		}
		bound, statements := bound(o, found, request.Version)
		policies, results = append(policies, bound...), append(results, statements...)
	}
	for _, o := range env.OfKind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		spec, _ := o.Rendered.Fields()["spec"].(map[string]any)
		name, _ := spec["policyName"].(string)
		if bindings[name] != nil && !strings.Contains(name, "${") {
			message := fmt.Sprintf("no ValidatingAdmissionPolicy %s is rendered beside it", name)
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeUnbound, Policy: *o.Reference(), Field: []any{"spec", "policyName"}, Message: message})
		}
	}
	return policies, results
}

// bound compiles the policy once, and gives it with each of the bindings.
func bound(o *environment.Object, bindings []*environment.Object, kubernetes string) (policies []environment.Policy, results []protocol.PolicyResult) {
	if len(o.Rendered.Unknown) > 0 {
		return nil, []protocol.PolicyResult{{Outcome: protocol.OutcomeSkipped, Policy: *o.Reference(), Message: "parts of the policy are not known here"}}
	}
	var typed admissionv1.ValidatingAdmissionPolicy
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Rendered.Fields(), &typed); err != nil {
		return nil, []protocol.PolicyResult{{Outcome: protocol.OutcomeInvalid, Policy: *o.Reference(), Message: cel.OneLine(err.Error())}}
	}
	made := &BoundPolicy{world: o.Environment, source: o, Spec: &typed.Spec}
	if results = made.Compile(kubernetes); len(results) > 0 {
		return nil, results
	}
	for _, each := range bindings {
		var binding admissionv1.ValidatingAdmissionPolicyBinding
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(each.Rendered.Fields(), &binding)
		switch {
		case len(each.Rendered.Unknown) > 0:
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeSkipped, Policy: *each.Reference(), Message: "parts of the binding are not known here"})
		case err != nil:
			results = append(results, protocol.PolicyResult{Outcome: protocol.OutcomeInvalid, Policy: *each.Reference(), Message: cel.OneLine(err.Error())})
		default:
			one := *made
			one.binding, one.severity = &binding.Spec, severityOf(binding.Spec.ValidationActions)
			policies = append(policies, &one)
		}
	}
	return policies, results
}

// severityOf: what is denied is an error, what only warns a warning, what is only noted information.
func severityOf(actions []admissionv1.ValidationAction) string {
	switch {
	case slices.Contains(actions, admissionv1.Deny):
		return "error"
	case slices.Contains(actions, admissionv1.Warn):
		return "warning"
	}
	return "info"
}

// Compile compiles all expressions of the policy for a version of Kubernetes; it gives those that do not compile.
func (p *BoundPolicy) Compile(kubernetes string) (results []protocol.PolicyResult) {
	hasParams := p.Spec.ParamKind != nil
	if hasParams {
		p.world.Parameters[[2]string{environment.GroupOf(p.Spec.ParamKind.APIVersion), p.Spec.ParamKind.Kind}] = true
	}
	library, err := cel.NewLibrary(kubernetes, cel.Declarations{Request: true, Params: hasParams, Authorizer: true})
	if err != nil {
		return []protocol.PolicyResult{(&cel.CompileError{Message: err.Error()}).Result(p.About())}
	}
	p.Library = library
	note := func(fault *cel.CompileError, field ...any) {
		if fault != nil {
			results = append(results, fault.Result(p.About(), append([]any{"spec"}, field...)...))
		}
	}
	compile := func(text string, types []*celgo.Type, field ...any) *cel.Expression {
		compiled, fault := library.Compile(text, types...)
		note(fault, field...)
		return compiled
	}
	boolean, text, nullable := []*celgo.Type{celgo.BoolType}, []*celgo.Type{celgo.StringType}, []*celgo.Type{celgo.StringType, celgo.NullType}
	for i, each := range p.Spec.Variables {
		note(library.Define(each.Name, each.Expression), "variables", i, "expression")
	}
	for i, each := range p.Spec.MatchConditions {
		p.conditions = append(p.conditions, compile(each.Expression, boolean, "matchConditions", i, "expression"))
	}
	for i, each := range p.Spec.Validations {
		made := compiledValidation{Text: each.Message, Expression: compile(each.Expression, boolean, "validations", i, "expression")}
		if each.MessageExpression != "" {
			made.Message = compile(each.MessageExpression, text, "validations", i, "messageExpression")
		}
		p.Validations = append(p.Validations, made)
	}
	for i, each := range p.Spec.AuditAnnotations {
		compile(each.ValueExpression, nullable, "auditAnnotations", i, "valueExpression")
	}
	return results
}

// About is the policy as an object.
func (p *BoundPolicy) About() protocol.ObjectReference {
	if p.source == nil {
		return protocol.ObjectReference{}
	}
	return *p.source.Reference()
}

func (p *BoundPolicy) result(o *environment.Object, outcome protocol.PolicyOutcome, message string, field ...any) protocol.PolicyResult {
	return protocol.PolicyResult{Outcome: outcome, Policy: p.About(), Field: field, Object: o.Reference(), Severity: p.severity, Message: message}
}

// Evaluate evaluates the policy against one object.
func (p *BoundPolicy) Evaluate(o *environment.Object) []protocol.PolicyResult {
	if o.Group == admissionGroup && strings.Contains(o.Kind, "Admission") || o.Group == admissionGroup && strings.Contains(o.Kind, "Webhook") {
		return nil // the server exempts them, to keep itself usable
	}
	matches := selection.All(selectedBy(o, p.Spec.MatchConstraints), selectedBy(o, p.binding.MatchResources))
	if matches == selection.No {
		return nil
	}
	if matches == selection.Open {
		return []protocol.PolicyResult{p.result(o, protocol.OutcomeSkipped, "it cannot be known here whether it is meant")}
	}
	params, reason := p.parametersFor(o)
	if reason != "" {
		return []protocol.PolicyResult{p.result(o, protocol.OutcomeSkipped, reason)}
	}
	object, partial, refusal := o.Admitted()
	if refusal != "" {
		return []protocol.PolicyResult{p.result(o, protocol.OutcomeSkipped, refusal)}
	}
	var results []protocol.PolicyResult
	for _, param := range params {
		in := p.Library.Input(object, partial || param.partial)
		in.Params, in.Namespace, in.Request = param.value, o.NamespaceObject(), o.Request()
		results = append(results, p.validate(o, in)...)
	}
	return p.unlessMutated(o, results)
}

// unlessMutated takes back what was said of an object that something else changes before the policy sees it.
func (p *BoundPolicy) unlessMutated(o *environment.Object, results []protocol.PolicyResult) []protocol.PolicyResult {
	if !slices.ContainsFunc(results, func(each protocol.PolicyResult) bool { return each.Outcome == protocol.OutcomeViolated }) {
		return results
	}
	if changes := p.world.MutatedBy(o); changes != "" {
		return []protocol.PolicyResult{p.result(o, protocol.OutcomeSkipped, changes+" may change objects before they are judged")}
	}
	return results
}

func (p *BoundPolicy) validate(o *environment.Object, in *cel.Input) (results []protocol.PolicyResult) {
	switch applies, err := p.Applies(in); {
	case err != nil:
		return p.failure(o, err, "spec", "matchConditions")
	case applies == selection.Open:
		return []protocol.PolicyResult{p.result(o, protocol.OutcomeSkipped, cel.ErrUnknown.Error())}
	case applies == selection.No:
		return nil
	}
	for i, validation := range p.Validations {
		value, err := validation.Expression.Evaluate(in)
		switch {
		case err == cel.ErrUnknown:
			results = append(results, p.result(o, protocol.OutcomeSkipped, err.Error()))
		case err != nil:
			results = append(results, p.failure(o, err, "spec", "validations", i, "expression")...)
		case value != types.True:
			message := cel.Message(validation.Message, validation.Text, validation.Expression.Text, in)
			results = append(results, p.result(o, protocol.OutcomeViolated, message, "spec", "validations", i, "expression"))
		}
	}
	return results
}

// Applies: one condition that is false keeps the policy out, whatever the others say.
func (p *BoundPolicy) Applies(in *cel.Input) (selection.Match, error) {
	result := selection.Yes
	var failed error
	for _, condition := range p.conditions {
		value, err := condition.Evaluate(in)
		switch {
		case err == cel.ErrUnknown:
			result = selection.Open
		case err != nil:
			failed = err
		case value != types.True:
			return selection.No, nil
		}
	}
	if result == selection.Open {
		failed = nil
	}
	return result, failed
}

// failure is what becomes of an expression that fails: the server refuses, unless the policy says to ignore that.
func (p *BoundPolicy) failure(o *environment.Object, err error, field ...any) []protocol.PolicyResult {
	if p.Spec.FailurePolicy != nil && *p.Spec.FailurePolicy == admissionv1.Ignore {
		return nil
	}
	return []protocol.PolicyResult{p.result(o, protocol.OutcomeViolated, "an expression fails: "+cel.OneLine(err.Error()), field...)}
}
