package main

import (
	"strings"
)

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer makes a key a step of a JSON pointer.
func escapePointer(key string) string { return pointerEscapes.Replace(key) }

var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// unescapePointer is the key that a step of a JSON pointer stands for.
func unescapePointer(step string) string { return pointerUnescapes.Replace(step) }
