// Package policyrule evaluates the repository's own PolicyRules.
package policyrule

import (
	"fmt"
	"path"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"devloop.invalid/toolchain/worker/internal/policy/cel"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
	"devloop.invalid/toolchain/worker/internal/protocol"
)

// compiledRule is a compiled PolicyRule.
type compiledRule struct {
	rule        protocol.PolicyRule
	index       int
	constraints []compiledConstraint
}

type compiledConstraint struct {
	index      int
	library    *cel.Library
	expression *cel.Expression
	message    *cel.Expression
	text       string
}

// Policies compiles the PolicyRules of a request; it gives the errors in them as well.
func Policies(_ *environment.Environment, request *protocol.PolicyRequest) (policies []environment.Policy, results []protocol.PolicyResult) {
	for i, rule := range request.Rules {
		compiled := &compiledRule{rule: rule, index: i}
		results = append(results, compiled.compile(request.Version)...)
		policies = append(policies, compiled)
	}
	return policies, results
}

// About is the rule by its index in the request.
func (p *compiledRule) About() protocol.ObjectReference {
	return protocol.ObjectReference{Index: p.index}
}

func (p *compiledRule) compile(kubernetes string) (results []protocol.PolicyResult) {
	for i, constraint := range p.rule.Constraints {
		library, err := cel.NewLibrary(kubernetes, cel.Declarations{Patches: p.rule.Type == "mutation"})
		if err != nil {
			return []protocol.PolicyResult{p.invalid(&cel.CompileError{Message: err.Error()})}
		}
		compiled := compiledConstraint{index: i, library: library, text: constraint.Message}
		wrong := len(results)
		for _, variable := range constraint.Variables {
			if fault := library.Define(variable.Name, variable.Expression); fault != nil {
				results = append(results, p.invalid(fault, "constraints", i, "variables", variable.Name))
			}
		}
		var fault *cel.CompileError
		if compiled.expression, fault = library.Compile(constraint.Expression, p.results()...); fault != nil {
			results = append(results, p.invalid(fault, "constraints", i, "expression"))
		}
		if constraint.MessageExpression != "" {
			if compiled.message, fault = library.Compile(constraint.MessageExpression, celgo.StringType); fault != nil {
				results = append(results, p.invalid(fault, "constraints", i, "messageExpression"))
			}
		}
		if len(results) == wrong {
			p.constraints = append(p.constraints, compiled)
		}
	}
	return results
}

// results are the types that the expressions of the rule may have. A dynamic result is checked when it is there.
func (p *compiledRule) results() []*celgo.Type {
	if p.rule.Type == "validation" {
		return []*celgo.Type{celgo.BoolType}
	}
	return nil
}

func (p *compiledRule) invalid(fault *cel.CompileError, field ...any) protocol.PolicyResult {
	return fault.Result(p.About(), field...)
}

// Evaluate evaluates the rule against one object.
func (p *compiledRule) Evaluate(o *environment.Object) (results []protocol.PolicyResult) {
	switch p.targets(o) {
	case selection.No:
		return nil
	case selection.Open:
		return []protocol.PolicyResult{p.skipped(o, "it cannot be known here whether it is meant")}
	}
	object, partial := o.Manifest()
	for _, constraint := range p.constraints {
		in := constraint.library.Input(object, partial)
		in.Namespace = o.NamespaceObject()
		if found := p.apply(o, constraint, in); found != nil {
			results = append(results, *found)
		}
	}
	return results
}

func (p *compiledRule) apply(o *environment.Object, constraint compiledConstraint, in *cel.Input) *protocol.PolicyResult {
	value, err := constraint.expression.Evaluate(in)
	if err == cel.ErrUnknown {
		return pointer(p.skipped(o, err.Error()))
	}
	if err != nil {
		return pointer(p.result(o, protocol.OutcomeViolated, constraint, fmt.Sprintf("the expression fails: %s", cel.OneLine(err.Error()))))
	}
	switch p.rule.Type {
	case "mutation":
		return p.change(o, constraint, in, value)
	case "generation":
		return p.missing(o, constraint, in, value)
	}
	if value == types.True {
		return nil
	}
	return pointer(p.result(o, protocol.OutcomeViolated, constraint, constraint.messageFor(in)))
}

func pointer[T any](value T) *T { return &value }

func (p *compiledRule) result(o *environment.Object, outcome protocol.PolicyOutcome, constraint compiledConstraint, message string) protocol.PolicyResult {
	field := []any{"constraints", constraint.index}
	return protocol.PolicyResult{Outcome: outcome, Policy: p.About(), Field: field, Object: o.Reference(), Severity: p.rule.Severity, Message: message}
}

func (p *compiledRule) skipped(o *environment.Object, why string) protocol.PolicyResult {
	return protocol.PolicyResult{Outcome: protocol.OutcomeSkipped, Policy: p.About(), Object: o.Reference(), Message: why}
}

// messageFor is the message of a constraint: what its messageExpression gives, else its message, else its expression.
func (c *compiledConstraint) messageFor(in *cel.Input) string {
	return cel.Message(c.message, c.text, c.expression.Text, in)
}

// targets says whether the rule is about the object.
func (p *compiledRule) targets(o *environment.Object) selection.Match {
	result := selection.No
	for _, target := range p.rule.Targets {
		result = max(result, takes(&target, o))
	}
	return result
}

// takes says whether a target selects the object.
func takes(t *protocol.RuleTarget, o *environment.Object) selection.Match {
	fixed := selection.AnyGlob(t.APIGroups, o.Group) && selection.AnyGlob(t.APIVersions, o.Version) && selection.AnyGlob(t.Kinds, o.Kind) && selection.AnyGlob(t.Layers, layerOf(o.Rendered.Origin))
	if !fixed {
		return selection.No
	}
	result := selection.All(selection.MatchName(t.Names, o.Name), selection.MatchName(t.Namespaces, o.Namespace))
	for key, value := range t.Labels {
		result = selection.All(result, o.Labels.Like(key, value))
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
