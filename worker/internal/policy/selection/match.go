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

// AnyGlob says whether a value matches one of some globs, or there are none.
func AnyGlob(globs []string, value string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool { return Glob(glob, value) })
}

// Glob compares with a glob, in which * stands for any characters and ? for one.
func Glob(glob, value string) bool {
	if !strings.ContainsAny(glob, "*?") {
		return glob == value
	}
	var text, back, mark = 0, -1, 0
	at := 0
	for text < len(value) {
		switch {
		case at < len(glob) && (glob[at] == '?' || glob[at] == value[text]) && glob[at] != '*':
			at, text = at+1, text+1
		case at < len(glob) && glob[at] == '*':
			back, mark = at, text
			at++
		case back >= 0:
			mark++
			at, text = back+1, mark
		default:
			return false
		}
	}
	return strings.Trim(glob[at:], "*") == ""
}
