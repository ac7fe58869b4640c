package main

import (
	"fmt"
	"slices"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const admissionGroup = "admissionregistration.k8s.io"

// boundPolicy is a ValidatingAdmissionPolicy with one of its bindings, compiled.
type boundPolicy struct {
	world       *world
	source      *subject
	spec        *admissionv1.ValidatingAdmissionPolicySpec
	binding     *admissionv1.ValidatingAdmissionPolicyBindingSpec
	severity    string
	library     *celLibrary
	conditions  []*expression
	validations []compiledValidation
}

type compiledValidation struct {
	expression, message *expression
	text                string
}

// admissionPolicies finds the ValidatingAdmissionPolicies of an environment, with the bindings that put them in force.
func admissionPolicies(w *world, r *policiesRequest) (policies []policy, said []statement) {
	bindings := map[string][]*subject{}
	for _, s := range w.ofKind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		spec, _ := s.rendered.body()["spec"].(map[string]any)
		name, _ := spec["policyName"].(string)
		bindings[name] = append(bindings[name], s)
	}
	for _, s := range w.ofKind(admissionGroup, "ValidatingAdmissionPolicy") {
		found := bindings[s.name]
		delete(bindings, s.name)
		if len(found) == 0 {
			said = append(said, statement{Outcome: "unbound", Policy: *s.reference(), Message: "no ValidatingAdmissionPolicyBinding names it, so it does nothing"})
		}
		bound, statements := bound(s, found, r.Version)
		policies, said = append(policies, bound...), append(said, statements...)
	}
	for _, s := range w.ofKind(admissionGroup, "ValidatingAdmissionPolicyBinding") {
		spec, _ := s.rendered.body()["spec"].(map[string]any)
		name, _ := spec["policyName"].(string)
		if bindings[name] != nil && !strings.Contains(name, "${") {
			message := fmt.Sprintf("no ValidatingAdmissionPolicy %s is rendered beside it", name)
			said = append(said, statement{Outcome: "unbound", Policy: *s.reference(), Field: []any{"spec", "policyName"}, Message: message})
		}
	}
	return policies, said
}

// bound compiles the policy once, and gives it with each of the bindings.
func bound(s *subject, bindings []*subject, kubernetes string) (policies []policy, said []statement) {
	if len(s.rendered.Unknown) > 0 {
		return nil, []statement{{Outcome: "skipped", Policy: *s.reference(), Message: "parts of the policy are not known here"}}
	}
	var typed admissionv1.ValidatingAdmissionPolicy
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(s.rendered.body(), &typed); err != nil {
		return nil, []statement{{Outcome: "invalid", Policy: *s.reference(), Message: oneLine(err.Error())}}
	}
	made := &boundPolicy{world: s.world, source: s, spec: &typed.Spec}
	if said = made.compiled(kubernetes); len(said) > 0 {
		return nil, said
	}
	for _, each := range bindings {
		var binding admissionv1.ValidatingAdmissionPolicyBinding
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(each.rendered.body(), &binding)
		switch {
		case len(each.rendered.Unknown) > 0:
			said = append(said, statement{Outcome: "skipped", Policy: *each.reference(), Message: "parts of the binding are not known here"})
		case err != nil:
			said = append(said, statement{Outcome: "invalid", Policy: *each.reference(), Message: oneLine(err.Error())})
		default:
			one := *made
			one.binding, one.severity = &binding.Spec, severityOf(binding.Spec.ValidationActions)
			policies = append(policies, &one)
		}
	}
	return policies, said
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

func (p *boundPolicy) compiled(kubernetes string) (said []statement) {
	hasParams := p.spec.ParamKind != nil
	if hasParams {
		p.world.parameters[[2]string{groupOf(p.spec.ParamKind.APIVersion), p.spec.ParamKind.Kind}] = true
	}
	library, err := newLibrary(kubernetes, declarations{request: true, params: hasParams, authorizer: true})
	if err != nil {
		return []statement{(&celFault{Message: err.Error()}).result(p.about())}
	}
	p.library = library
	note := func(fault *celFault, field ...any) {
		if fault != nil {
			said = append(said, fault.result(p.about(), append([]any{"spec"}, field...)...))
		}
	}
	compile := func(text string, types []*celgo.Type, field ...any) *expression {
		compiled, fault := library.compile(text, types...)
		note(fault, field...)
		return compiled
	}
	boolean, text, nullable := []*celgo.Type{celgo.BoolType}, []*celgo.Type{celgo.StringType}, []*celgo.Type{celgo.StringType, celgo.NullType}
	for i, each := range p.spec.Variables {
		note(library.define(each.Name, each.Expression), "variables", i, "expression")
	}
	for i, each := range p.spec.MatchConditions {
		p.conditions = append(p.conditions, compile(each.Expression, boolean, "matchConditions", i, "expression"))
	}
	for i, each := range p.spec.Validations {
		made := compiledValidation{text: each.Message, expression: compile(each.Expression, boolean, "validations", i, "expression")}
		if each.MessageExpression != "" {
			made.message = compile(each.MessageExpression, text, "validations", i, "messageExpression")
		}
		p.validations = append(p.validations, made)
	}
	for i, each := range p.spec.AuditAnnotations {
		compile(each.ValueExpression, nullable, "auditAnnotations", i, "valueExpression")
	}
	return said
}

func (p *boundPolicy) about() reference {
	if p.source == nil {
		return reference{}
	}
	return *p.source.reference()
}

func (p *boundPolicy) says(s *subject, outcome, message string, field ...any) statement {
	return statement{Outcome: outcome, Policy: p.about(), Field: field, Object: s.reference(), Severity: p.severity, Message: message}
}

func (p *boundPolicy) judge(s *subject) []statement {
	if s.group == admissionGroup && strings.Contains(s.kind, "Admission") || s.group == admissionGroup && strings.Contains(s.kind, "Webhook") {
		return nil // the server exempts them, so that nobody locks himself out
	}
	matches := both(selectedBy(s, p.spec.MatchConstraints), selectedBy(s, p.binding.MatchResources))
	if matches == no {
		return nil
	}
	if matches == open {
		return []statement{p.says(s, "skipped", "it cannot be known here whether it is meant")}
	}
	params, reason := p.parametersFor(s)
	if reason != "" {
		return []statement{p.says(s, "skipped", reason)}
	}
	object, partial, refusal := s.admission()
	if refusal != "" {
		return []statement{p.says(s, "skipped", refusal)}
	}
	var said []statement
	for _, param := range params {
		in := p.library.input(object, partial || param.partial)
		in.params, in.namespace, in.request = param.value, s.namespaceObject(), s.request()
		said = append(said, p.validate(s, in)...)
	}
	return p.unlessChanged(s, said)
}

// unlessChanged takes back what was said of an object that something else changes before the policy sees it.
func (p *boundPolicy) unlessChanged(s *subject, said []statement) []statement {
	if !slices.ContainsFunc(said, func(each statement) bool { return each.Outcome == "violated" }) {
		return said
	}
	if changes := p.world.changedFirst(s); changes != "" {
		return []statement{p.says(s, "skipped", changes+" may change objects before they are judged")}
	}
	return said
}

func (p *boundPolicy) validate(s *subject, in *celInput) (said []statement) {
	switch applies, err := p.applies(in); {
	case err != nil:
		return p.failure(s, err, "spec", "matchConditions")
	case applies == open:
		return []statement{p.says(s, "skipped", errUnknown.Error())}
	case applies == no:
		return nil
	}
	for i, validation := range p.validations {
		value, err := validation.expression.evaluate(in)
		switch {
		case err == errUnknown:
			said = append(said, p.says(s, "skipped", err.Error()))
		case err != nil:
			said = append(said, p.failure(s, err, "spec", "validations", i, "expression")...)
		case value != types.True:
			message := celMessage(validation.message, validation.text, validation.expression.text, in)
			said = append(said, p.says(s, "violated", message, "spec", "validations", i, "expression"))
		}
	}
	return said
}

// applies: one condition that is false keeps the policy out, whatever the others say.
func (p *boundPolicy) applies(in *celInput) (match, error) {
	result := yes
	var failed error
	for _, condition := range p.conditions {
		value, err := condition.evaluate(in)
		switch {
		case err == errUnknown:
			result = open
		case err != nil:
			failed = err
		case value != types.True:
			return no, nil
		}
	}
	if result == open {
		failed = nil
	}
	return result, failed
}

// failure is what becomes of an expression that fails: the server refuses, unless the policy says to ignore that.
func (p *boundPolicy) failure(s *subject, err error, field ...any) []statement {
	if p.spec.FailurePolicy != nil && *p.spec.FailurePolicy == admissionv1.Ignore {
		return nil
	}
	return []statement{p.says(s, "violated", "an expression fails: "+oneLine(err.Error()), field...)}
}
