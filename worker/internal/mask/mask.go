// Package mask keeps values out of answers: those of secrets, and those that are not known here.
package mask

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"devloop.invalid/toolchain/worker/internal/jsonpointer"
	"devloop.invalid/toolchain/worker/internal/sops"
)

// What stands in an answer for the value of a secret; the same that `flux build` prints.
const Placeholder = "**SOPS**"

// Masker goes through an object and takes out what must not be shown; unknown collects JSON pointers.
type Masker struct {
	IsSecret bool
	Secrets  Secrets
	Unknown  []string
}

// Value gives a value without what must not be shown; before is the same value as it was before decryption.
func (m *Masker) Value(pointer string, value, before any) any {
	switch value := value.(type) {
	case map[string]any:
		old, _ := before.(map[string]any)
		result := make(map[string]any, len(value))
		for key, item := range value {
			shown, hidden := Reveal(key)
			if hidden {
				m.note(pointer + "/" + shown)
			}
			result[shown] = m.Value(pointer+"/"+jsonpointer.Escape(shown), item, old[key])
		}
		return result
	case []any:
		old, _ := before.([]any)
		result := make([]any, len(value))
		for i, item := range value {
			var was any
			if i < len(old) {
				was = old[i]
			}
			result[i] = m.Value(fmt.Sprintf("%s/%d", pointer, i), item, was)
		}
		return result
	}
	return m.leaf(pointer, value, before)
}

func (m *Masker) note(pointer string) { m.Unknown = append(m.Unknown, pointer) }

func (m *Masker) leaf(pointer string, value, before any) any {
	inData := m.IsSecret && strings.HasPrefix(pointer, "/data/")
	if old, ok := before.(string); ok && (sops.LooksSealed(old) || inData && sops.LooksSealed(Base64Text(old))) {
		return placeholderFor(pointer, inData)
	}
	text, ok := value.(string)
	if !ok {
		return value
	}
	if len(m.Secrets) > 0 && (m.Secrets.Contains(text) || inData && m.Secrets.Contains(Base64Text(text))) {
		return placeholderFor(pointer, inData)
	}
	shown, hidden := Reveal(text)
	if plain, inside := Reveal(Base64Text(text)); inData && inside {
		shown, hidden = base64.StdEncoding.EncodeToString([]byte(plain)), true
	}
	if hidden {
		m.note(pointer)
	}
	return shown
}

func placeholderFor(pointer string, inData bool) string {
	switch {
	case inData && strings.HasSuffix(pointer, "/.dockerconfigjson"):
		return base64.StdEncoding.EncodeToString([]byte(`{"mask":"` + Placeholder + `"}`))
	case inData:
		return base64.StdEncoding.EncodeToString([]byte(Placeholder))
	}
	return Placeholder
}

// Base64Text decodes base64; any other text stays as it is.
func Base64Text(text string) string {
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(plain)
	}
	return text
}

var encodedPlaceholder = base64.StdEncoding.EncodeToString([]byte(Placeholder))

// MayBeMasked says whether an object, as JSON, may hold a placeholder.
func MayBeMasked(body []byte) bool {
	return bytes.Contains(body, []byte(Placeholder)) || bytes.Contains(body, []byte(encodedPlaceholder)) ||
		bytes.Contains(body, []byte(placeholderFor("/.dockerconfigjson", true)))
}

// IsMasked says whether a text stands for the value of a secret.
func IsMasked(value string) bool {
	return strings.Contains(value, Placeholder) || value == encodedPlaceholder || value == placeholderFor("/.dockerconfigjson", true)
}
