package selection

import (
	"slices"
	"strings"
)

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
