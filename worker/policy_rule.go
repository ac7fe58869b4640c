package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// policyRule is a PolicyRule of the repository, read and checked before it came here; see devloop/model/policy.py.
type policyRule struct {
	Type        string           `json:"type"` // validation, mutation, generation
	Severity    string           `json:"severity"`
	Targets     []ruleTarget     `json:"targets"`
	Constraints []ruleConstraint `json:"constraints"`
}

// ruleTarget: an empty list takes everything; Names, Namespaces and Kinds are globs.
type ruleTarget struct {
	APIGroups   []string          `json:"apiGroups"`
	APIVersions []string          `json:"apiVersions"`
	Kinds       []string          `json:"kinds"`
	Names       []string          `json:"names"`
	Namespaces  []string          `json:"namespaces"`
	Labels      map[string]string `json:"labels"`
	Layers      []string          `json:"layers"`
}

type ruleConstraint struct {
	Expression        string          `json:"expression"`
	Message           string          `json:"message"`
	MessageExpression string          `json:"messageExpression"`
	Variables         []namedConstant `json:"variables"`
}

type namedConstant struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}

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
			if compiled.message, fault = library.compile(constraint.MessageExpression, cel.StringType); fault != nil {
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
func (p *rulePolicy) results() []*cel.Type {
	if p.rule.Type == "validation" {
		return []*cel.Type{cel.BoolType}
	}
	return nil
}

func (p *rulePolicy) invalid(fault *celFault, field ...any) statement {
	return fault.statement(p.about(), field...)
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

// celMessage follows the API server: an expression that fails, is empty or has several lines counts for nothing.
func celMessage(expression *expression, text, fallback string, in *celInput) string {
	if expression != nil {
		if value, err := expression.evaluate(in); err == nil {
			if said, ok := value.Value().(string); ok {
				if said = strings.TrimSpace(said); said != "" && len(said) <= longestMessage && !strings.Contains(said, "\n") {
					return said
				}
			}
		}
	}
	if text != "" {
		return strings.TrimSpace(text)
	}
	return "failed expression: " + oneLine(fallback)
}

// targets says whether the rule is about the object.
func (p *rulePolicy) targets(s *subject) match {
	result := no
	for _, target := range p.rule.Targets {
		result = max(result, target.takes(s))
	}
	return result
}

func (t *ruleTarget) takes(s *subject) match {
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

func (l labelSet) like(key, glob string) match {
	own, found := l.known[key]
	switch {
	case l.unknown[key]:
		return open
	case !found:
		return l.has(key)
	}
	return matched(isLike(glob, own))
}

func anyGlob(globs []string, value string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool { return isLike(glob, value) })
}

// openGlob is anyGlob for names that may have a variable in them.
func openGlob(globs []string, value string) match {
	if len(globs) > 0 && strings.Contains(value, "${") && !slices.Contains(globs, "*") {
		return open
	}
	return matched(anyGlob(globs, value))
}

// isLike compares with a glob, in which * stands for any characters and ? for one.
func isLike(glob, value string) bool {
	if !strings.ContainsAny(glob, "*?") {
		return glob == value
	}
	var text, back, mark = 0, -1, 0
	at := 0
	for text < len(value) {
		switch {
		case at < len(glob) && (glob[at] == '?' || glob[at] == value[text]) && glob[at] != '*':
			at, text = at+1, text+1
		case at < len(glob) && glob[at] == '*':
			back, mark = at, text
			at++
		case back >= 0:
			mark++
			at, text = back+1, mark
		default:
			return false
		}
	}
	return strings.Trim(glob[at:], "*") == ""
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
