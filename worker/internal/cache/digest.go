package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
)

// Digest is the name of what depends on all of the parts and on nothing else.
func Digest(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		var length [8]byte
		for i := range length {
			length[i] = byte(len(part) >> (8 * i))
		}
		sum.Write(length[:])
		_, _ = io.WriteString(sum, part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// JSON is a value as a part of a key.
func JSON(value any) string {
	content, _ := json.Marshal(value)
	return string(content)
}
