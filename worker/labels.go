package main

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// labelSet is the labels of an object; unknown are those whose values are not known here, others says that there may be more.
type labelSet struct {
	known   map[string]string
	unknown map[string]bool
	others  bool
}

func labelsOf(body map[string]any, pointers []string) labelSet {
	metadata, _ := body["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	set := labelSet{known: make(map[string]string, len(labels)), unknown: map[string]bool{}}
	for key, value := range labels {
		set.known[key], _ = value.(string)
	}
	for _, pointer := range pointers {
		if key, ok := strings.CutPrefix(pointer, "/metadata/labels/"); ok {
			key = unescapePointer(key)
			set.unknown[key] = true
			set.others = set.others || strings.Contains(key, "${")
		}
	}
	return set
}

func (l labelSet) has(key string) match {
	if _, found := l.known[key]; found {
		return yes
	}
	if l.others {
		return open
	}
	return no
}

func (l labelSet) in(key string, values []string) match {
	if l.unknown[key] {
		return open
	}
	own, found := l.known[key]
	for _, value := range values {
		if found && own == value {
			return yes
		}
	}
	if !found && l.others {
		return open
	}
	return no
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

// selects says whether a label selector takes in the labels; an empty one takes everything.
func selects(selector *metav1.LabelSelector, labels labelSet) match {
	if selector == nil {
		return yes
	}
	result := yes
	for key, value := range selector.MatchLabels {
		result = both(result, labels.in(key, []string{value}))
	}
	for _, each := range selector.MatchExpressions {
		switch each.Operator {
		case metav1.LabelSelectorOpIn:
			result = both(result, labels.in(each.Key, each.Values))
		case metav1.LabelSelectorOpNotIn:
			result = both(result, yes-labels.in(each.Key, each.Values))
		case metav1.LabelSelectorOpExists:
			result = both(result, labels.has(each.Key))
		case metav1.LabelSelectorOpDoesNotExist:
			result = both(result, yes-labels.has(each.Key))
		}
	}
	return result
}
