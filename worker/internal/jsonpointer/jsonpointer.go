// Package jsonpointer escapes the steps of JSON pointers (RFC 6901).
package jsonpointer

import "strings"

var escapes = strings.NewReplacer("~", "~0", "/", "~1")

// Escape makes a key a step of a JSON pointer.
func Escape(key string) string { return escapes.Replace(key) }

var unescapes = strings.NewReplacer("~1", "/", "~0", "~")

// Unescape is the key that a step of a JSON pointer stands for.
func Unescape(step string) string { return unescapes.Replace(step) }
