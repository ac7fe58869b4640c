package selection

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"devloop.invalid/toolchain/worker/internal/jsonpointer"
)

// Labels is the labels of an object; unknown are those whose values are not known here, others says that there may be more.
type Labels struct {
	Known   map[string]string
	Unknown map[string]bool
	Others  bool
}

// ParseLabels reads the labels of an object; pointers are the JSON pointers of its unknown values.
func ParseLabels(body map[string]any, pointers []string) Labels {
	metadata, _ := body["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	set := Labels{Known: make(map[string]string, len(labels)), Unknown: map[string]bool{}}
	for key, value := range labels {
		set.Known[key], _ = value.(string)
	}
	for _, pointer := range pointers {
		if key, ok := strings.CutPrefix(pointer, "/metadata/labels/"); ok {
			key = jsonpointer.Unescape(key)
			set.Unknown[key] = true
			set.Others = set.Others || strings.Contains(key, "${")
		}
	}
	return set
}

// Has says whether there is a label with the key.
func (l Labels) Has(key string) Match {
	if _, found := l.Known[key]; found {
		return Yes
	}
	if l.Others {
		return Open
	}
	return No
}

// In says whether the label has one of the values.
func (l Labels) In(key string, values []string) Match {
	if l.Unknown[key] {
		return Open
	}
	own, found := l.Known[key]
	for _, value := range values {
		if found && own == value {
			return Yes
		}
	}
	if !found && l.Others {
		return Open
	}
	return No
}

// Like says whether the label's value matches a glob.
func (l Labels) Like(key, glob string) Match {
	own, found := l.Known[key]
	switch {
	case l.Unknown[key]:
		return Open
	case !found:
		return l.Has(key)
	}
	return If(Glob(glob, own))
}

// Selects says whether a label selector selects the labels; an empty one selects everything.
func Selects(selector *metav1.LabelSelector, labels Labels) Match {
	if selector == nil {
		return Yes
	}
	result := Yes
	for key, value := range selector.MatchLabels {
		result = All(result, labels.In(key, []string{value}))
	}
	for _, each := range selector.MatchExpressions {
		switch each.Operator {
		case metav1.LabelSelectorOpIn:
			result = All(result, labels.In(each.Key, each.Values))
		case metav1.LabelSelectorOpNotIn:
			result = All(result, Yes-labels.In(each.Key, each.Values))
		case metav1.LabelSelectorOpExists:
			result = All(result, labels.Has(each.Key))
		case metav1.LabelSelectorOpDoesNotExist:
			result = All(result, Yes-labels.Has(each.Key))
		}
	}
	return result
}
