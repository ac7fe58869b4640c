package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// answer of a match: what hangs on a value that is not known is open.
type match int

const (
	no match = iota
	open
	yes
)

func both(matches ...match) match {
	result := yes
	for _, each := range matches {
		result = min(result, each)
	}
	return result
}

func matched(condition bool) match {
	if condition {
		return yes
	}
	return no
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
