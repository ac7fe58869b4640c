package admission

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"devloop.invalid/toolchain/worker/internal/kubernetes"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// selectedBy follows the API server: both selectors, then the rules that exclude, then those that include. What it matches is the
// creation of the object.
func selectedBy(o *environment.Object, resources *admissionv1.MatchResources) selection.Match {
	if resources == nil {
		return selection.Yes
	}
	selected := selection.Selects(resources.ObjectSelector, o.LabelsWhenAdmitted())
	if o.Namespaced || o.Kind == "Namespace" && o.Group == "" {
		selected = selection.All(selected, selection.Selects(resources.NamespaceSelector, o.NamespaceLabels()))
	}
	if selected == selection.No {
		return selection.No
	}
	exact := resources.MatchPolicy != nil && *resources.MatchPolicy == admissionv1.Exact
	left := matchesAny(o, resources.ExcludeResourceRules, exact)
	taken := selection.Yes
	if len(resources.ResourceRules) > 0 {
		taken = matchesAny(o, resources.ResourceRules, exact)
	}
	return selection.All(selected, taken, selection.Yes-left)
}

func matchesAny(o *environment.Object, rules []admissionv1.NamedRuleWithOperations, exact bool) selection.Match {
	result := selection.No
	for i := range rules {
		result = max(result, matchesRule(o, &rules[i], exact))
	}
	return result
}

// matchesRule: a rule for another version of the resource includes what the server can convert to it; whether it can is not known here.
func matchesRule(o *environment.Object, rule *admissionv1.NamedRuleWithOperations, exact bool) selection.Match {
	creates := slices.Contains(rule.Operations, admissionv1.OperationAll) || slices.Contains(rule.Operations, admissionv1.Create)
	if !creates || !listed(rule.APIGroups, o.Group) || !slices.ContainsFunc(rule.Resources, func(name string) bool { return isResource(o, name) }) || !inScope(o, rule.Scope) {
		return selection.No
	}
	named := selection.Yes
	if len(rule.ResourceNames) > 0 {
		named = openName(rule.ResourceNames, o.Name)
	}
	switch {
	case listed(rule.APIVersions, o.Version):
		return named
	case exact || kubernetes.IsBuiltIn(o.Group) && !hasVersion(o, rule.APIVersions):
		return selection.No
	}
	return selection.All(named, selection.Open)
}

// hasVersion says whether the server knows a built-in kind in one of the versions.
func hasVersion(o *environment.Object, versions []string) bool {
	return slices.ContainsFunc(versions, func(version string) bool {
		return environment.ServerScheme().Recognizes(schema.GroupVersionKind{Group: o.Group, Version: version, Kind: o.Kind})
	})
}

// isResource: a name with a subresource is about that subresource, unless it is any.
func isResource(o *environment.Object, name string) bool {
	resource, subresource, _ := strings.Cut(name, "/")
	return (resource == "*" || resource == o.Resource) && (subresource == "" || subresource == "*")
}

func openName(names []string, name string) selection.Match {
	if strings.Contains(name, "${") {
		return selection.Open
	}
	return selection.If(slices.Contains(names, name))
}

func listed(items []string, wanted string) bool {
	return slices.Contains(items, "*") || slices.Contains(items, wanted)
}

func inScope(o *environment.Object, scope *admissionv1.ScopeType) bool {
	if scope == nil || *scope == admissionv1.AllScopes {
		return true
	}
	return o.Namespaced == (*scope == admissionv1.NamespacedScope)
}

// parameter is one object that a policy is evaluated with; nil where it has none.
type parameter struct {
	value   any
	partial bool
}

// parametersFor are the rendered objects that the binding names. What is rendered nowhere may still be in the cluster.
func (p *BoundPolicy) parametersFor(o *environment.Object) ([]parameter, string) {
	if p.Spec.ParamKind == nil || p.binding.ParamRef == nil {
		return []parameter{{}}, ""
	}
	reference := p.binding.ParamRef
	var found []parameter
	for _, each := range p.world.OfKind(environment.GroupOf(p.Spec.ParamKind.APIVersion), p.Spec.ParamKind.Kind) {
		namespace := reference.Namespace
		if namespace == "" {
			namespace = o.Namespace
		}
		wanted := selection.If(!each.Namespaced || each.Namespace == namespace)
		if reference.Name != "" {
			wanted = selection.All(wanted, selection.If(each.Name == reference.Name))
		} else {
			wanted = selection.All(wanted, selection.Selects(reference.Selector, each.LabelsWhenAdmitted()))
		}
		if wanted == selection.No {
			continue
		}
		object, partial, refusal := each.Admitted()
		if refusal != "" || wanted == selection.Open {
			return nil, fmt.Sprintf("its parameter %s/%s is not known in full here", each.Kind, each.Name)
		}
		found = append(found, parameter{object, partial})
	}
	if len(found) == 0 {
		return nil, fmt.Sprintf("its parameter %s is rendered nowhere here", p.Spec.ParamKind.Kind)
	}
	return found, ""
}
