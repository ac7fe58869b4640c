package secrets

import (
	"bytes"
	"regexp"
)

var (
	kindBefore = regexp.MustCompile(`kind["']?\s*:\s*(?:[!&]\S+\s+)*["']?$`)
)

// mayHoldSecret is quick, and errs on the side of yes: most files need not be parsed.
func mayHoldSecret(content []byte) bool {
	return bytes.Contains(content, []byte("stringData")) || bytes.Contains(content, []byte("secretGenerator")) || namesSecret(content)
}

// namesSecret says whether something is of the kind Secret.
func namesSecret(content []byte) bool {
	word := []byte("Secret")
	for at := 0; ; at += len(word) {
		next := bytes.Index(content[at:], word)
		if next < 0 {
			return false
		}
		at += next
		if line := bytes.LastIndexByte(content[:at], '\n') + 1; kindBefore.Match(content[line:at]) || bytes.HasSuffix(bytes.TrimSpace(content[:at]), []byte(":")) && line < at && len(bytes.TrimSpace(content[line:at])) == 1 {
			return true
		}
	}
}
