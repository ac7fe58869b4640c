package source

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"devloop.invalid/toolchain/worker/internal/cache"
)

// What a build looked for in its source, and what it saw: entries by their path, the content of files, the names in folders. A build that
// would see the same again gives the same again.
const (
	sawEntry   = '?'
	sawContent = '='
	sawNames   = '/'
)

type inputs map[string]string // kind and path -> what was there

// encode gives one line for each, sorted; false where a path has no place in a line.
func (s inputs) encode() ([]byte, bool) {
	lines := make([]string, 0, len(s))
	for key, found := range s {
		if key[0] == sawEntry && s[string(sawContent)+key[1:]] != "" {
			continue // whoever reads the same content finds the same entry
		}
		if strings.ContainsAny(key+found, "\t\n") {
			return nil, false
		}
		lines = append(lines, key+"\t"+found+"\n")
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "")), true
}

// StillHolds says whether the source still looks like that.
func (t *Tree) StillHolds(encoded []byte) bool {
	for len(encoded) > 0 {
		line, rest, _ := bytes.Cut(encoded, []byte("\n"))
		key, found, ok := strings.Cut(string(line), "\t")
		if !ok || key == "" || t.look(key[0], key[1:]) != found {
			return false
		}
		encoded = rest
	}
	return true
}

func (t *Tree) look(kind byte, name string) string {
	found := t.entry(name)
	switch {
	case kind == sawNames:
		names, err := t.names(name)
		if err != nil {
			return "!" + err.Error()
		}
		return fmt.Sprint(len(names), " ", cache.Digest(names...))
	case found.err != nil:
		return "!" + found.err.Error()
	case found.info.IsDir():
		return "d" + found.real
	case kind == sawEntry:
		return "f" + found.real
	}
	return found.digest() + strings.TrimPrefix(found.real, path.Clean(name))
}
