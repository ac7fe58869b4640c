package secrets

import (
	"bytes"
	"regexp"
)

var kindBefore = regexp.MustCompile(`kind["']?\s*:\s*(?:[!&]\S+\s+)*["']?$`)

// mayHoldSecret is quick, and errs on the side of yes: most files need not be parsed.
func mayHoldSecret(content []byte) bool {
	return bytes.Contains(content, []byte("stringData")) || bytes.Contains(content, []byte("secretGenerator")) || namesSecret(content)
}

// namesSecret says whether something is of the kind Secret.
func namesSecret(content []byte) bool {
	word := []byte("Secret")
	for at := bytes.Index(content, word); at >= 0; {
		start := bytes.LastIndexByte(content[:at], '\n') + 1
		if before := content[start:at]; kindBefore.Match(before) || string(bytes.TrimSpace(before)) == ":" {
			return true
		}
		next := bytes.Index(content[at+len(word):], word)
		if next < 0 {
			return false
		}
		at += len(word) + next
	}
	return false
}
