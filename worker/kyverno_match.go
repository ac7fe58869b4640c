package main

import (
	"bytes"
	"encoding/json"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podMakers are the kinds that Kyverno derives rules for from a rule about Pods.
var podMakers = []string{"DaemonSet", "Deployment", "Job", "StatefulSet", "ReplicaSet", "ReplicationController", "CronJob"}

const autogenAnnotation = "pod-policies.kyverno.io/autogen-controllers"

// autogen says for which kinds Kyverno derives rules: for none as soon as one rule of the policy selects by name, labels or annotations,
// names other kinds beside Pods, generates, or patches in JSON.
func autogen(s *subject, spec map[string]any) []string {
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
	metadata, _ := s.rendered.body()["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	wanted, _ := annotations[autogenAnnotation].(string)
	switch wanted {
	case "":
		return podMakers
	case "none":
		return nil
	}
	return keep(strings.Split(wanted, ","), func(kind string) bool { return slices.Contains(podMakers, kind) })
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
	if others := keep(controllers, func(kind string) bool { return !isCronJob(kind) }); len(others) > 0 {
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

// filterObstacle names what a filter asks for and nobody can tell here.
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

func (k *kyvernoRule) matches(s *subject) match {
	if slices.Contains(kyvernoLeaves, s.namespace) || s.group == kyvernoGroup || k.source.kind == "Policy" && k.source.namespace != s.namespace {
		return no
	}
	taken := blockMatches(k.rule["match"], s)
	if taken == no || k.rule["exclude"] == nil || len(filtersOf(k.rule["exclude"])) == 0 {
		return taken
	}
	return both(taken, yes-blockMatches(k.rule["exclude"], s))
}

func blockMatches(block any, s *subject) match {
	said, _ := block.(map[string]any)
	if all, _ := said["all"].([]any); len(all) > 0 {
		result := yes
		for _, filter := range filtersOf(block) {
			result = both(result, filterMatches(filter, s))
		}
		return result
	}
	result := no
	for _, filter := range filtersOf(block) {
		result = max(result, filterMatches(filter, s))
	}
	return result
}

func filterMatches(filter map[string]any, s *subject) match {
	resources := resourcesOf(filter)
	kinds, operations := texts(resources["kinds"]), texts(resources["operations"])
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(written string) bool { return isOfKind(s, written) }) || len(operations) > 0 && !slices.Contains(operations, "CREATE") {
		return no
	}
	names := texts(resources["names"])
	if name, _ := resources["name"].(string); name != "" {
		names = append(names, name)
	}
	result := both(openGlob(names, s.name), openGlob(texts(resources["namespaces"]), filterNamespace(s)))
	if annotations, _ := resources["annotations"].(map[string]any); len(annotations) > 0 {
		result = both(result, open)
	}
	result = both(result, selectsBy(resources["selector"], s.labelsWhenAdmitted()))
	if resources["namespaceSelector"] == nil {
		return result
	}
	if s.kind == "Namespace" && s.group == "" {
		return no
	}
	labels := labelSet{}
	if s.namespaced {
		labels = s.namespaceLabels()
	}
	return both(result, selectsBy(resources["namespaceSelector"], labels))
}

func filterNamespace(s *subject) string {
	if s.kind == "Namespace" && s.group == "" {
		return s.name
	}
	return s.namespace
}

func selectsBy(written any, labels labelSet) match {
	if written == nil {
		return yes
	}
	var selector metav1.LabelSelector
	if json.Unmarshal(asJSON(written), &selector) != nil {
		return open
	}
	return selects(&selector, labels)
}

// isOfKind understands Kind, version/Kind and group/version/Kind with wildcards; what is about a subresource is not about the object.
func isOfKind(s *subject, written string) bool {
	parts := strings.Split(written, "/")
	switch {
	case len(parts) == 1:
		return isLike(parts[0], s.kind)
	case len(parts) == 2 && (parts[0] == "*" || isVersion(parts[0])):
		return isLike(parts[0], s.version) && isLike(parts[1], s.kind)
	case len(parts) == 3 && (parts[1] == "*" || isVersion(parts[1])):
		return isLike(parts[0], s.group) && isLike(parts[1], s.version) && isLike(parts[2], s.kind)
	}
	return false
}

func isVersion(text string) bool {
	return len(text) > 1 && text[0] == 'v' && text[1] >= '0' && text[1] <= '9'
}
