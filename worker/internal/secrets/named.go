package secrets

import (
	"regexp"
	"slices"
	"strings"
)

// As in the frames of findings (snippet.py).
var secretKey = regexp.MustCompile(`(?i)(?:pass(?:w(?:or)?d|phrase|code)?|pwd|token|api[-_]?key|secret(?:[-_]?(?:access[-_]?)?key)?|private[-_]?key|credentials?|dsn|connection[-_]?string)$`)

var (
	pair   = regexp.MustCompile(`["']?([\w./-]+)["']?\s*:\s*("[^"]*"|'[^']*'|[^,{}\[\]\s][^,{}\[\]\n]*)`)
	naming = []string{"name", "key", "path", "targetPath"}
)

// hints are in every key that secretKey matches.
var hints = []string{"pass", "pwd", "token", "key", "secret", "credential", "dsn", "connection"}

// item is a list item like {name: DB_PASSWORD, value: ...}, in any order.
type item struct{ name, value string }

// addNamed adds the values of keys that are those of secrets, wherever they stand, and those of such items. It looks at lines alone: parsing
// every file would take longer than building them.
func (v Values) addNamed(text string) {
	var current item
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "- ") {
			current = item{}
		}
		v.addLine(line, &current)
	}
}

func (v Values) addLine(line string, current *item) {
	before, after, found := strings.Cut(line, ":")
	key := strings.Trim(before, " -\"'")
	hinted := isHinted(line)
	switch {
	case !found, !hinted && key != "value":
		return
	case hinted && strings.ContainsAny(line, "{["):
		v.addFlow(line)
	default:
		v.addPair(key, after, current)
	}
	if current.value != "" && secretKey.MatchString(current.name) {
		v.noteNamed(current.value)
	}
}

func isHinted(line string) bool {
	lower := strings.ToLower(line)
	return slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(lower, hint) })
}

func (v Values) addFlow(line string) {
	var current item
	for _, match := range pair.FindAllStringSubmatch(line, -1) {
		v.addPair(match[1], match[2], &current)
	}
	if current.value != "" && secretKey.MatchString(current.name) {
		v.noteNamed(current.value)
	}
}

func (v Values) addPair(key, value string, current *item) {
	value, _, _ = strings.Cut(strings.TrimSpace(value), " #")
	value = strings.Trim(value, `"' `)
	switch {
	case slices.Contains(naming, key):
		current.name = value
	case key == "value":
		current.value = value
	case secretKey.MatchString(key):
		v.noteNamed(value)
	}
}

// noteNamed leaves out names and other words.
func (v Values) noteNamed(value string) {
	if !words.MatchString(value) {
		v.note(value, named)
	}
}
