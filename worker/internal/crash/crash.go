// Package crash turns panics of libraries into messages that quote nothing of the repository.
package crash

import (
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// Ignore leaves a panic to whoever asks for the same: there, it is the answer.
func Ignore(work func()) {
	defer func() { _ = recover() }()
	work()
}

// Cause says what the runtime says; anything else may quote what it stumbled over.
func Cause(panicked any) string {
	if fault, ok := panicked.(runtime.Error); ok {
		return ": " + fault.Error()
	}
	return ""
}

// arguments of a call in a stack: where they lie in memory.
var arguments = regexp.MustCompile(`\([^(]*\)$`)

// Location is the first line of the stack below the runtime's own, "" where nothing panics.
func Location() string {
	lines := strings.Split(string(debug.Stack()), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") && i+3 < len(lines) {
			return " in " + arguments.ReplaceAllString(strings.TrimSpace(lines[i+2]), "")
		}
	}
	return ""
}
