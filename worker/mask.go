package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"sigs.k8s.io/kustomize/api/resource"
)

// What stands in an answer for the value of a secret; the same that `flux build` prints.
const masked = "**SOPS**"

// secretValues are the plain values of encrypted files that went into a build by way of generators and patches.
type secretValues map[string]bool

func (s *secretValues) add(value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	if *s == nil {
		*s = secretValues{}
	}
	(*s)[value] = true
}

// addOpened adds the text of an encrypted file and every value that was encrypted in it.
func (s *secretValues) addOpened(sealed, plain []byte, branches sops.TreeBranches, format formats.Format) {
	s.add(string(plain))
	tree, err := common.StoreForFormat(format, config.NewStoresConfig()).LoadEncryptedFile(sealed)
	if err != nil {
		return
	}
	for i, branch := range branches {
		s.addPair(tree.Branches[i], branch)
	}
}

func (s *secretValues) addPair(sealed, plain any) {
	switch plain := plain.(type) {
	case sops.TreeBranch:
		for i, item := range plain {
			s.addPair(sealed.(sops.TreeBranch)[i].Value, item.Value)
		}
	case []any:
		for i, item := range plain {
			s.addPair(sealed.([]any)[i], item)
		}
	default:
		if text, ok := sealed.(string); ok && looksSealed(text) {
			s.add(fmt.Sprint(plain))
		}
	}
}

// Shorter values are only looked for as whole values: they would be found everywhere.
const shortest = 8

func (s secretValues) contains(text string) bool {
	text = strings.TrimSpace(text)
	if s[text] {
		return true
	}
	for value := range s {
		if len(value) >= shortest && strings.Contains(text, value) {
			return true
		}
	}
	return false
}

// masker goes through an object and takes out what must not be shown; unknown collects JSON pointers.
type masker struct {
	isSecret bool
	secrets  secretValues
	unknown  []string
}

// mask gives the object as JSON without secret values; before is the object as it was before decryption.
func (b *run) mask(res *resource.Resource, before map[string]any, state string) (json.RawMessage, []string, error) {
	content, err := res.MarshalJSON()
	if err != nil {
		return nil, nil, err
	}
	if state == "" && len(b.preparation.secrets) == 0 && !bytes.ContainsFunc(content, isHidden) {
		return bytes.TrimSpace(content), nil, nil
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		return nil, nil, err
	}
	if state != "" {
		delete(object, "sops")
	}
	m := &masker{isSecret: res.GetKind() == "Secret", secrets: b.preparation.secrets}
	if b.session.opens {
		m.secrets, before = nil, nil
	}
	shown := m.value("", object, before)
	sort.Strings(m.unknown)
	content, err = json.Marshal(shown)
	return content, m.unknown, err
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
			result[shown] = m.value(pointer+"/"+escaped(shown), item, old[key])
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

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escaped(key string) string { return pointerEscapes.Replace(key) }

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
