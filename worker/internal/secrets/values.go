// Package secrets knows the values that no text may show: those that SOPS encrypted, and those that Secrets hold in clear.
package secrets

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mask stands in a message for what may be the value of a secret.
const Mask = "***"

// Shorter values are left out: they are words of every message.
const shortestValue = 4

// Shorter ones are looked for as whole words only.
const longValue = 8

// weight says how a value came to be one.
type weight int

const (
	part  weight = iota + 1 // a line of a value
	named                   // by the name of its key alone
	whole                   // of a Secret, or encrypted
)

// Values are texts that a message must not quote.
type Values map[string]weight

// add adds a value, and each of its lines.
func (v Values) add(text string) {
	v.note(text, whole)
	if lines := strings.Split(text, "\n"); len(lines) > 1 {
		for _, line := range lines {
			v.note(line, part)
		}
	}
}

func (v Values) note(text string, as weight) {
	text = strings.TrimSpace(text)
	if len(text) < shortestValue || text == "true" || text == "false" {
		return
	}
	v[text] = max(v[text], as)
	if as > part {
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		v[encoded] = max(v[encoded], as)
	}
}

// Hide takes them out of a message.
func (v Values) Hide(message string) string {
	for _, value := range longestFirst(maps.Keys(v)) {
		message = replaceValue(message, value, Mask)
	}
	return message
}

func longestFirst(values func(func(string) bool)) []string {
	return slices.SortedFunc(values, func(a, b string) int { return len(b) - len(a) })
}

// words are names and switches rather than secrets.
var words = regexp.MustCompile(`^(?:[a-z]+|[A-Z][a-z]+|[A-Z]+)(?:[-_./: ](?:[a-z]+|[A-Z][a-z]+|[A-Z]+))*$`)

// replaceValue replaces a value, as it is or quoted; a short one, or words, only where it stands alone.
func replaceValue(text, value, by string) string {
	for _, form := range []string{value, quoted(value)} {
		switch {
		case !strings.Contains(text, form):
		case len(value) >= longValue && !words.MatchString(value):
			text = strings.ReplaceAll(text, form, by)
		default:
			alone := regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(form) + `($|[^\w-])`)
			text = alone.ReplaceAllString(text, "${1}"+by+"${2}")
		}
	}
	return text
}

func quoted(value string) string {
	text := strconv.Quote(value)
	return text[1 : len(text)-1]
}
