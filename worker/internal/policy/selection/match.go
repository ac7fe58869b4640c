// Package selection matches objects by labels and names, where some of them may not be known.
package selection

import (
	"slices"
	"strings"
)

// Match is the result of a match; it is Open where it depends on a value that is not known.
type Match int

const (
	No   Match = iota
	Open       // not known here
	Yes
)

// All is Yes where all of the matches are, and No where one is.
func All(matches ...Match) Match {
	result := Yes
	for _, each := range matches {
		result = min(result, each)
	}
	return result
}

// If is Yes where a condition holds, else No.
func If(condition bool) Match {
	if condition {
		return Yes
	}
	return No
}

// MatchName is AnyGlob for names that may have a variable in them.
func MatchName(globs []string, value string) Match {
	if len(globs) > 0 && strings.Contains(value, "${") && !slices.Contains(globs, "*") {
		return Open
	}
	return If(AnyGlob(globs, value))
}
