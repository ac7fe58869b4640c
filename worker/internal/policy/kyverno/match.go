package kyverno

import (
	"bytes"
	"encoding/json"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/policy/environment"
	"devloop.invalid/toolchain/worker/internal/policy/selection"
)

// podMakers are the kinds that Kyverno derives rules for from a rule about Pods.
var podMakers = []string{"DaemonSet", "Deployment", "Job", "StatefulSet", "ReplicaSet", "ReplicationController", "CronJob"}

const autogenAnnotation = "pod-policies.kyverno.io/autogen-controllers"

// autogen says for which kinds Kyverno derives rules: for none as soon as one rule of the policy selects by name, labels or annotations,
// names other kinds than Pods, generates, or patches in JSON.
func autogen(o *environment.Object, spec map[string]any) []string {
	rules, _ := spec["rules"].([]any)
	for _, each := range rules {
		rule, _ := each.(map[string]any)
		if rule["generate"] != nil || bytes.Contains(asJSON(rule["mutate"]), []byte(`"patchesJson6902"`)) {
			return nil
		}
		for _, block := range []string{"match", "exclude"} {
			for _, filter := range filtersOf(rule[block]) {
				resources := resourcesOf(filter)
				kinds := texts(resources["kinds"])
				mixed := len(kinds) > 1 && slices.ContainsFunc(kinds, isPodKind)
				if mixed || resources["name"] != nil || resources["names"] != nil || resources["selector"] != nil || resources["annotations"] != nil {
					return nil
				}
			}
		}
	}
	metadata, _ := o.Rendered.Fields()["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	wanted, _ := annotations[autogenAnnotation].(string)
	switch wanted {
	case "":
		return podMakers
	case "none":
		return nil
	}
	return collect.Filter(strings.Split(wanted, ","), func(kind string) bool { return slices.Contains(podMakers, kind) })
}

func asJSON(value any) []byte {
	text, _ := json.Marshal(value)
	return text
}

func isPodKind(kind string) bool { return kind == "Pod" || strings.HasSuffix(kind, "/Pod") }

// variantsOf is the rule with those that Kyverno derives from it: paths and patterns are moved to where the template of the Pod is.
func variantsOf(rule map[string]any, controllers []string) []map[string]any {
	variants := []map[string]any{rule}
	about := func(block string) []string {
		var kinds []string
		for _, filter := range filtersOf(rule[block]) {
			kinds = append(kinds, texts(resourcesOf(filter)["kinds"])...)
		}
		return kinds
	}
	excluded := about("exclude")
	if !slices.ContainsFunc(about("match"), isPodKind) || len(excluded) > 0 && !slices.ContainsFunc(excluded, isPodKind) {
		return variants
	}
	isCronJob := func(kind string) bool { return kind == "CronJob" }
	if others := collect.Filter(controllers, func(kind string) bool { return !isCronJob(kind) }); len(others) > 0 {
		variants = append(variants, derived(rule, others, "template"))
		if slices.ContainsFunc(controllers, isCronJob) {
			variants = append(variants, derived(rule, []string{"CronJob"}, "jobTemplate.spec.template"))
		}
	}
	return variants
}

func derived(rule map[string]any, kinds []string, where string) map[string]any {
	prefix := "request."
	if validate, _ := rule["validate"].(map[string]any); validate["cel"] != nil {
		prefix = ""
	}
	text := string(asJSON(rule))
	for _, object := range []string{"object", "oldObject"} {
		for _, field := range []string{"spec", "metadata"} {
			text = strings.ReplaceAll(text, prefix+object+"."+field, prefix+object+".spec."+where+"."+field)
		}
	}
	var made map[string]any
	if kubejson.Unmarshal([]byte(text), &made) != nil {
		return rule
	}
	for _, block := range []string{"match", "exclude"} {
		for _, filter := range filtersOf(made[block]) {
			if resources := resourcesOf(filter); slices.ContainsFunc(texts(resources["kinds"]), isPodKind) {
				resources["kinds"] = anys(kinds)
			}
		}
	}
	if validate, _ := made["validate"].(map[string]any); validate != nil {
		if validate["pattern"] != nil {
			validate["pattern"] = withinTemplate(validate["pattern"], where)
		}
		if patterns, ok := validate["anyPattern"].([]any); ok {
			for i, pattern := range patterns {
				patterns[i] = withinTemplate(pattern, where)
			}
		}
	}
	return made
}

func withinTemplate(pattern any, where string) any {
	steps := strings.Split("spec."+where, ".")
	for _, step := range slices.Backward(steps) {
		pattern = map[string]any{step: pattern}
	}
	return pattern
}

func anys(list []string) []any {
	result := make([]any, len(list))
	for i, each := range list {
		result[i] = each
	}
	return result
}

func texts(value any) []string {
	list, _ := value.([]any)
	var result []string
	for _, each := range list {
		if text, ok := each.(string); ok {
			result = append(result, text)
		}
	}
	return result
}

// filtersOf are the filters of a match or exclude block, in whichever of its three forms.
func filtersOf(block any) []map[string]any {
	said, _ := block.(map[string]any)
	var result []map[string]any
	for _, form := range []string{"any", "all"} {
		list, _ := said[form].([]any)
		for _, each := range list {
			if filter, ok := each.(map[string]any); ok {
				result = append(result, filter)
			}
		}
	}
	if said["resources"] != nil || said["subjects"] != nil || said["roles"] != nil || said["clusterRoles"] != nil {
		result = append(result, said)
	}
	return result
}

func resourcesOf(filter map[string]any) map[string]any {
	resources, _ := filter["resources"].(map[string]any)
	return resources
}

// filterObstacle names what a filter asks for and is not known here.
func filterObstacle(block any) string {
	for _, filter := range filtersOf(block) {
		if filter["subjects"] != nil || filter["roles"] != nil || filter["clusterRoles"] != nil {
			return "it depends on who asks (subjects, roles)"
		}
		for _, field := range []string{"selector", "namespaceSelector"} {
			if bytes.ContainsAny(asJSON(resourcesOf(filter)[field]), "*?") {
				return "it selects labels with wildcards"
			}
		}
	}
	if bytes.Contains(asJSON(block), []byte("{{")) {
		return "it matches with variables"
	}
	return ""
}

func (k *compiledRule) matches(o *environment.Object) selection.Match {
	if slices.Contains(skippedNamespaces, o.Namespace) || o.Group == apiGroup || k.source.Kind == "Policy" && k.source.Namespace != o.Namespace {
		return selection.No
	}
	taken := blockMatches(k.rule["match"], o)
	if taken == selection.No || k.rule["exclude"] == nil || len(filtersOf(k.rule["exclude"])) == 0 {
		return taken
	}
	return selection.All(taken, selection.Yes-blockMatches(k.rule["exclude"], o))
}

func blockMatches(block any, o *environment.Object) selection.Match {
	said, _ := block.(map[string]any)
	if all, _ := said["all"].([]any); len(all) > 0 {
		result := selection.Yes
		for _, filter := range filtersOf(block) {
			result = selection.All(result, filterMatches(filter, o))
		}
		return result
	}
	result := selection.No
	for _, filter := range filtersOf(block) {
		result = max(result, filterMatches(filter, o))
	}
	return result
}

func filterMatches(filter map[string]any, o *environment.Object) selection.Match {
	resources := resourcesOf(filter)
	kinds, operations := texts(resources["kinds"]), texts(resources["operations"])
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(written string) bool { return isOfKind(o, written) }) || len(operations) > 0 && !slices.Contains(operations, "CREATE") {
		return selection.No
	}
	names := texts(resources["names"])
	if name, _ := resources["name"].(string); name != "" {
		names = append(names, name)
	}
	result := selection.All(selection.MatchName(names, o.Name), selection.MatchName(texts(resources["namespaces"]), filterNamespace(o)))
	if annotations, _ := resources["annotations"].(map[string]any); len(annotations) > 0 {
		result = selection.All(result, selection.Open)
	}
	result = selection.All(result, selectsBy(resources["selector"], o.LabelsWhenAdmitted()))
	if resources["namespaceSelector"] == nil {
		return result
	}
	if o.Kind == "Namespace" && o.Group == "" {
		return selection.No
	}
	labels := selection.Labels{}
	if o.Namespaced {
		labels = o.NamespaceLabels()
	}
	return selection.All(result, selectsBy(resources["namespaceSelector"], labels))
}

func filterNamespace(o *environment.Object) string {
	if o.Kind == "Namespace" && o.Group == "" {
		return o.Name
	}
	return o.Namespace
}

func selectsBy(written any, labels selection.Labels) selection.Match {
	if written == nil {
		return selection.Yes
	}
	var selector metav1.LabelSelector
	if json.Unmarshal(asJSON(written), &selector) != nil {
		return selection.Open
	}
	return selection.Selects(&selector, labels)
}

// isOfKind understands Kind, version/Kind and group/version/Kind with wildcards; what is about a subresource is not about the object.
func isOfKind(o *environment.Object, written string) bool {
	parts := strings.Split(written, "/")
	switch {
	case len(parts) == 1:
		return selection.Glob(parts[0], o.Kind)
	case len(parts) == 2 && (parts[0] == "*" || isVersion(parts[0])):
		return selection.Glob(parts[0], o.Version) && selection.Glob(parts[1], o.Kind)
	case len(parts) == 3 && (parts[1] == "*" || isVersion(parts[1])):
		return selection.Glob(parts[0], o.Group) && selection.Glob(parts[1], o.Version) && selection.Glob(parts[2], o.Kind)
	}
	return false
}

func isVersion(text string) bool {
	return len(text) > 1 && text[0] == 'v' && text[1] >= '0' && text[1] <= '9'
}
