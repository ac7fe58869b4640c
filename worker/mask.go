package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// What stands in an answer for the value of a secret; the same that `flux build` prints.
const masked = "**SOPS**"

// masker goes through an object and takes out what must not be shown; unknown collects JSON pointers.
type masker struct {
	isSecret bool
	secrets  secretValues
	unknown  []string
}

func (m *masker) value(pointer string, value, before any) any {
	switch value := value.(type) {
	case map[string]any:
		old, _ := before.(map[string]any)
		result := make(map[string]any, len(value))
		for key, item := range value {
			shown, hidden := reveal(key)
			if hidden {
				m.note(pointer + "/" + shown)
			}
			result[shown] = m.value(pointer+"/"+escapePointer(shown), item, old[key])
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
			result[i] = m.value(fmt.Sprintf("%s/%d", pointer, i), item, was)
		}
		return result
	}
	return m.leaf(pointer, value, before)
}

func (m *masker) note(pointer string) { m.unknown = append(m.unknown, pointer) }

func (m *masker) leaf(pointer string, value, before any) any {
	inData := m.isSecret && strings.HasPrefix(pointer, "/data/")
	if old, ok := before.(string); ok && (looksSealed(old) || inData && looksSealed(decoded(old))) {
		return maskFor(pointer, inData)
	}
	text, ok := value.(string)
	if !ok {
		return value
	}
	if len(m.secrets) > 0 && (m.secrets.contains(text) || inData && m.secrets.contains(decoded(text))) {
		return maskFor(pointer, inData)
	}
	shown, hidden := reveal(text)
	if plain, inside := reveal(decoded(text)); inData && inside {
		shown, hidden = base64.StdEncoding.EncodeToString([]byte(plain)), true
	}
	if hidden {
		m.note(pointer)
	}
	return shown
}

func maskFor(pointer string, inData bool) string {
	switch {
	case inData && strings.HasSuffix(pointer, "/.dockerconfigjson"):
		return base64.StdEncoding.EncodeToString([]byte(`{"mask":"` + masked + `"}`))
	case inData:
		return base64.StdEncoding.EncodeToString([]byte(masked))
	}
	return masked
}

func decoded(text string) string {
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(plain)
	}
	return text
}

var maskedEncoded = base64.StdEncoding.EncodeToString([]byte(masked))

func mayBeMasked(body []byte) bool {
	return bytes.Contains(body, []byte(masked)) || bytes.Contains(body, []byte(maskedEncoded)) ||
		bytes.Contains(body, []byte(maskFor("/.dockerconfigjson", true)))
}

func isMasked(value string) bool {
	return strings.Contains(value, masked) || value == maskedEncoded || value == maskFor("/.dockerconfigjson", true)
}
