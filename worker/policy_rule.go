package main

import (
	"fmt"
	"path"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// rulePolicy is a compiled PolicyRule.
type rulePolicy struct {
	rule        policyRule
	index       int
	constraints []compiledConstraint
}

type compiledConstraint struct {
	index      int
	library    *celLibrary
	expression *expression
	message    *expression
	text       string
}

func repositoryRules(_ *world, r *policiesRequest) (policies []policy, said []statement) {
	for i, rule := range r.Rules {
		compiled := &rulePolicy{rule: rule, index: i}
		said = append(said, compiled.compile(r.Version)...)
		policies = append(policies, compiled)
	}
	return policies, said
}

func (p *rulePolicy) about() reference { return reference{Index: p.index} }

func (p *rulePolicy) compile(kubernetes string) (said []statement) {
	for i, constraint := range p.rule.Constraints {
		library, err := newLibrary(kubernetes, declarations{patches: p.rule.Type == "mutation"})
		if err != nil {
			return []statement{p.invalid(&celFault{Message: err.Error()})}
		}
		compiled := compiledConstraint{index: i, library: library, text: constraint.Message}
		wrong := len(said)
		for _, variable := range constraint.Variables {
			if fault := library.define(variable.Name, variable.Expression); fault != nil {
				said = append(said, p.invalid(fault, "constraints", i, "variables", variable.Name))
			}
		}
		var fault *celFault
		if compiled.expression, fault = library.compile(constraint.Expression, p.results()...); fault != nil {
			said = append(said, p.invalid(fault, "constraints", i, "expression"))
		}
		if constraint.MessageExpression != "" {
			if compiled.message, fault = library.compile(constraint.MessageExpression, celgo.StringType); fault != nil {
				said = append(said, p.invalid(fault, "constraints", i, "messageExpression"))
			}
		}
		if len(said) == wrong {
			p.constraints = append(p.constraints, compiled)
		}
	}
	return said
}

// results are the types that the expressions of the rule may have. A dynamic one is judged by what it gives.
func (p *rulePolicy) results() []*celgo.Type {
	if p.rule.Type == "validation" {
		return []*celgo.Type{celgo.BoolType}
	}
	return nil
}

func (p *rulePolicy) invalid(fault *celFault, field ...any) statement {
	return fault.result(p.about(), field...)
}

func (p *rulePolicy) judge(s *subject) (said []statement) {
	switch p.targets(s) {
	case no:
		return nil
	case open:
		return []statement{p.skipped(s, "it cannot be known here whether it is meant")}
	}
	object, partial := s.manifest()
	for _, constraint := range p.constraints {
		in := constraint.library.input(object, partial)
		in.namespace = s.namespaceObject()
		if found := p.apply(s, constraint, in); found != nil {
			said = append(said, *found)
		}
	}
	return said
}

func (p *rulePolicy) apply(s *subject, constraint compiledConstraint, in *celInput) *statement {
	value, err := constraint.expression.evaluate(in)
	if err == errUnknown {
		return pointer(p.skipped(s, err.Error()))
	}
	if err != nil {
		return pointer(p.says(s, "violated", constraint, fmt.Sprintf("the expression fails: %s", oneLine(err.Error()))))
	}
	switch p.rule.Type {
	case "mutation":
		return p.change(s, constraint, in, value)
	case "generation":
		return p.missing(s, constraint, in, value)
	}
	if value == types.True {
		return nil
	}
	return pointer(p.says(s, "violated", constraint, constraint.says(in)))
}

func pointer[T any](value T) *T { return &value }

func (p *rulePolicy) says(s *subject, outcome string, constraint compiledConstraint, message string) statement {
	field := []any{"constraints", constraint.index}
	return statement{Outcome: outcome, Policy: p.about(), Field: field, Object: s.reference(), Severity: p.rule.Severity, Message: message}
}

func (p *rulePolicy) skipped(s *subject, why string) statement {
	return statement{Outcome: "skipped", Policy: p.about(), Object: s.reference(), Message: why}
}

// says is the message of a constraint: what its messageExpression gives, else its message, else its expression.
func (c *compiledConstraint) says(in *celInput) string {
	return celMessage(c.message, c.text, c.expression.text, in)
}

// targets says whether the rule is about the object.
func (p *rulePolicy) targets(s *subject) match {
	result := no
	for _, target := range p.rule.Targets {
		result = max(result, takes(&target, s))
	}
	return result
}

// takes says whether a target takes in the object.
func takes(t *ruleTarget, s *subject) match {
	fixed := anyGlob(t.APIGroups, s.group) && anyGlob(t.APIVersions, s.version) && anyGlob(t.Kinds, s.kind) && anyGlob(t.Layers, layerOf(s.rendered.Origin))
	if !fixed {
		return no
	}
	result := both(openGlob(t.Names, s.name), openGlob(t.Namespaces, s.namespace))
	for key, value := range t.Labels {
		result = both(result, s.labels.like(key, value))
	}
	return result
}

// layerOf names the layer of the repository that a file belongs to, by the folders of its path.
func layerOf(file string) string {
	for _, folder := range strings.Split(path.Dir(file), "/") {
		switch folder {
		case "bases", "base":
			return "base"
		case "distributions":
			return "distribution"
		case "clusters":
			return "cluster"
		}
	}
	return ""
}
