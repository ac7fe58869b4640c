package main

import (
	"slices"
	"strings"
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

// openGlob is anyGlob for names that may have a variable in them.
func openGlob(globs []string, value string) match {
	if len(globs) > 0 && strings.Contains(value, "${") && !slices.Contains(globs, "*") {
		return open
	}
	return matched(anyGlob(globs, value))
}
