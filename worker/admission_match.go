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
func (s *subject) selectedBy(resources *admissionv1.MatchResources) match {
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
	left := s.matchesAny(resources.ExcludeResourceRules, exact)
	taken := yes
	if len(resources.ResourceRules) > 0 {
		taken = s.matchesAny(resources.ResourceRules, exact)
	}
	return both(selected, taken, yes-left)
}

func (s *subject) labelsWhenAdmitted() labelSet {
	namespace, name, _ := strings.Cut(s.owner, "/")
	set := labelSet{unknown: s.labels.unknown, others: s.labels.others, known: map[string]string{}}
	for key, value := range s.labels.known {
		set.known[key] = value
	}
	set.known["kustomize.toolkit.fluxcd.io/name"], set.known["kustomize.toolkit.fluxcd.io/namespace"] = name, namespace
	return set
}

func (s *subject) matchesAny(rules []admissionv1.NamedRuleWithOperations, exact bool) match {
	result := no
	for i := range rules {
		result = max(result, s.matches(&rules[i], exact))
	}
	return result
}

// matches: a rule for another version of the resource takes in what the server can convert to it; whether it can is not known here.
func (s *subject) matches(rule *admissionv1.NamedRuleWithOperations, exact bool) match {
	creates := slices.Contains(rule.Operations, admissionv1.OperationAll) || slices.Contains(rule.Operations, admissionv1.Create)
	if !creates || !listed(rule.APIGroups, s.group) || !slices.ContainsFunc(rule.Resources, s.isResource) || !s.inScope(rule.Scope) {
		return no
	}
	named := yes
	if len(rule.ResourceNames) > 0 {
		named = openName(rule.ResourceNames, s.name)
	}
	switch {
	case listed(rule.APIVersions, s.version):
		return named
	case exact || isBuiltIn(s.group) && !s.hasVersion(rule.APIVersions):
		return no
	}
	return both(named, open)
}

// hasVersion says whether the server knows a built-in kind in one of the versions.
func (s *subject) hasVersion(versions []string) bool {
	return slices.ContainsFunc(versions, func(version string) bool {
		return serverScheme().Recognizes(schema.GroupVersionKind{Group: s.group, Version: version, Kind: s.kind})
	})
}

// isResource: a name with a subresource is about that subresource, unless it is any.
func (s *subject) isResource(name string) bool {
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

func (s *subject) inScope(scope *admissionv1.ScopeType) bool {
	if scope == nil || *scope == admissionv1.AllScopes {
		return true
	}
	return s.namespaced == (*scope == admissionv1.NamespacedScope)
}

// request is what expressions may ask about the request that creates the object. Who asks is not known here.
func (s *subject) request() map[string]any {
	kind := map[string]any{"group": s.group, "version": s.version, "kind": s.kind}
	resource := map[string]any{"group": s.group, "version": s.version, "resource": s.resource}
	request := map[string]any{
		"kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, "name": s.name, "operation": "CREATE",
		"userInfo": unknownPart, "dryRun": unknownValue, "options": unknownPart, "uid": unknownValue,
	}
	if s.namespaced {
		request["namespace"] = s.namespace
	} else if s.kind == "Namespace" && s.group == "" {
		request["namespace"] = s.name
	}
	return request
}

// parameter is one object that a policy is evaluated with; nil where it has none.
type parameter struct {
	value   any
	partial bool
}

// params are the rendered objects that the binding names. What is rendered nowhere may still be in the cluster.
func (p *boundPolicy) params(s *subject) ([]parameter, string) {
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
