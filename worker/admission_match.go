package main

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// selectedBy follows the API server: both selectors, then the rules that leave out, then those that take in. What it matches is the
// creation of the object.
func selectedBy(s *subject, resources *admissionv1.MatchResources) match {
	if resources == nil {
		return yes
	}
	selected := selects(resources.ObjectSelector, s.labelsWhenAdmitted())
	if s.namespaced || s.kind == "Namespace" && s.group == "" {
		selected = both(selected, selects(resources.NamespaceSelector, s.namespaceLabels()))
	}
	if selected == no {
		return no
	}
	exact := resources.MatchPolicy != nil && *resources.MatchPolicy == admissionv1.Exact
	left := matchesAny(s, resources.ExcludeResourceRules, exact)
	taken := yes
	if len(resources.ResourceRules) > 0 {
		taken = matchesAny(s, resources.ResourceRules, exact)
	}
	return both(selected, taken, yes-left)
}

func matchesAny(s *subject, rules []admissionv1.NamedRuleWithOperations, exact bool) match {
	result := no
	for i := range rules {
		result = max(result, matchesRule(s, &rules[i], exact))
	}
	return result
}

// matchesRule: a rule for another version of the resource takes in what the server can convert to it; whether it can is not known here.
func matchesRule(s *subject, rule *admissionv1.NamedRuleWithOperations, exact bool) match {
	creates := slices.Contains(rule.Operations, admissionv1.OperationAll) || slices.Contains(rule.Operations, admissionv1.Create)
	if !creates || !listed(rule.APIGroups, s.group) || !slices.ContainsFunc(rule.Resources, func(name string) bool { return isResource(s, name) }) || !inScope(s, rule.Scope) {
		return no
	}
	named := yes
	if len(rule.ResourceNames) > 0 {
		named = openName(rule.ResourceNames, s.name)
	}
	switch {
	case listed(rule.APIVersions, s.version):
		return named
	case exact || isBuiltIn(s.group) && !hasVersion(s, rule.APIVersions):
		return no
	}
	return both(named, open)
}

// hasVersion says whether the server knows a built-in kind in one of the versions.
func hasVersion(s *subject, versions []string) bool {
	return slices.ContainsFunc(versions, func(version string) bool {
		return serverScheme().Recognizes(schema.GroupVersionKind{Group: s.group, Version: version, Kind: s.kind})
	})
}

// isResource: a name with a subresource is about that subresource, unless it is any.
func isResource(s *subject, name string) bool {
	resource, subresource, _ := strings.Cut(name, "/")
	return (resource == "*" || resource == s.resource) && (subresource == "" || subresource == "*")
}

func openName(names []string, name string) match {
	if strings.Contains(name, "${") {
		return open
	}
	return matched(slices.Contains(names, name))
}

func listed(items []string, wanted string) bool {
	return slices.Contains(items, "*") || slices.Contains(items, wanted)
}

func inScope(s *subject, scope *admissionv1.ScopeType) bool {
	if scope == nil || *scope == admissionv1.AllScopes {
		return true
	}
	return s.namespaced == (*scope == admissionv1.NamespacedScope)
}

// parameter is one object that a policy is evaluated with; nil where it has none.
type parameter struct {
	value   any
	partial bool
}

// parametersFor are the rendered objects that the binding names. What is rendered nowhere may still be in the cluster.
func (p *boundPolicy) parametersFor(s *subject) ([]parameter, string) {
	if p.spec.ParamKind == nil || p.binding.ParamRef == nil {
		return []parameter{{}}, ""
	}
	reference := p.binding.ParamRef
	var found []parameter
	for _, each := range p.world.ofKind(groupOf(p.spec.ParamKind.APIVersion), p.spec.ParamKind.Kind) {
		namespace := reference.Namespace
		if namespace == "" {
			namespace = s.namespace
		}
		wanted := matched(!each.namespaced || each.namespace == namespace)
		if reference.Name != "" {
			wanted = both(wanted, matched(each.name == reference.Name))
		} else {
			wanted = both(wanted, selects(reference.Selector, each.labelsWhenAdmitted()))
		}
		if wanted == no {
			continue
		}
		object, partial, refusal := each.admission()
		if refusal != "" || wanted == open {
			return nil, fmt.Sprintf("its parameter %s/%s is not known in full here", each.kind, each.name)
		}
		found = append(found, parameter{object, partial})
	}
	if len(found) == 0 {
		return nil, fmt.Sprintf("its parameter %s is rendered nowhere here", p.spec.ParamKind.Kind)
	}
	return found, ""
}
