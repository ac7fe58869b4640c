// Package locate finds the file and line of a field of an object.
package locate

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"devloop.invalid/toolchain/worker/internal/collect"
	"devloop.invalid/toolchain/worker/internal/kustomize"
	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/provenance"
	"devloop.invalid/toolchain/worker/internal/scope"
	"devloop.invalid/toolchain/worker/internal/source"
	"devloop.invalid/toolchain/worker/internal/yamldoc"
)

// Locator finds places in the files of one repository.
type Locator struct {
	Repository *source.Repository
	Provenance *provenance.Finder
	Scope      func(name string) *scope.Scope
}

// Locate finds each place, and what set the field where that is another one.
func (l *Locator) Locate(places []protocol.Place) []protocol.Location {
	found := make([]protocol.Location, len(places))
	for i, wanted := range places {
		if content, err := l.Repository.ReadFile(wanted.Path); err == nil {
			found[i].Line = lineOf(wanted, content)
		}
	}
	l.addSetters(places, found)
	return found
}

// addSetters asks each build and each release once.
func (l *Locator) addSetters(places []protocol.Place, found []protocol.Location) {
	type part struct {
		in *scope.Scope
		of *scope.Rendering
	}
	asked, questions := map[part][]int{}, map[part][]provenance.Field{}
	for i, wanted := range places {
		if wanted.Built == nil || len(wanted.Field) == 0 {
			continue
		}
		in := l.Scope(wanted.Built.Scope)
		of, index := in.Part(wanted.Built.Owner, wanted.Built.Index)
		one := part{in, of}
		asked[one] = append(asked[one], i)
		questions[one] = append(questions[one], provenance.Field{Index: index, Field: wanted.Field})
	}
	collect.Parallel(slices.Collect(maps.Keys(asked)), func(one part) struct{} {
		for n, source := range l.Provenance.Find(one.in, one.of, questions[one]) {
			found[asked[one][n]].Setter = source
		}
		return struct{}{}
	})
}

func lineOf(p protocol.Place, content []byte) int {
	if p.Text != "" {
		return yamldoc.LineOfText(content, p.Text)
	}
	if object := yamldoc.FindDocument(content, p.Kind, p.Name, p.Namespace); object != nil {
		if _, kind := yamldoc.Child(object, "kind"); kustomize.IsFile(p.Path) && (kind == nil || kind.Value != p.Kind) {
			return generatorLine(p, object)
		}
		return yamldoc.Descend(object, p.Field)
	}
	return templateLine(p, content)
}

// generatorLine is for what a kustomization file generates: the line that gives the key, or the one that names the object.
func generatorLine(p protocol.Place, kustomization *yaml.Node) int {
	best := kustomization
	for _, list := range []string{"configMapGenerator", "secretGenerator"} {
		for _, generator := range yamldoc.Items(kustomization, list) {
			if key, name := yamldoc.Child(generator, "name"); p.Kind+"Generator" == strings.ToUpper(list[:1])+list[1:] && name != nil && strings.Contains(p.Name, name.Value) {
				if best = key; len(p.Field) > 1 {
					best = cmp.Or(sourceOf(generator, fmt.Sprint(p.Field[1])), key)
				}
			}
		}
	}
	return best.Line
}

// sourceOf is the item of a generator that gives a key, nil where a whole file of them does.
func sourceOf(generator *yaml.Node, key string) *yaml.Node {
	for _, list := range []string{"literals", "files"} {
		for _, item := range yamldoc.Items(generator, list) {
			if name, _, named := strings.Cut(item.Value, "="); name == key || !named && path.Base(item.Value) == key {
				return item
			}
		}
	}
	return nil
}

var kindLine = regexp.MustCompile(`^kind:\s*["']?(\w+)`)

// templateLine is for templates, which are no YAML: the line that says the kind, or the first one after it with the innermostKey key of the
// field. Where a file makes several of the kind, it is the one whose next lines say the name, if any does.
func templateLine(p protocol.Place, content []byte) int {
	lines := strings.Split(string(content), "\n")
	best, bestScore := -1, -1
	for i, line := range lines {
		match := kindLine.FindStringSubmatch(line)
		if match == nil || match[1] != p.Kind {
			continue
		}
		score := 0
		for _, next := range lines[i+1 : min(i+8, len(lines))] {
			if _, name, ok := strings.Cut(next, "name:"); ok && strings.HasSuffix(p.Name, lastWord(name)) {
				score = 1
			}
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	for i := best + 1; best >= 0 && i < len(lines) && !kindLine.MatchString(lines[i]); i++ {
		if key := innermostKey(p.Field); key != "" && strings.HasPrefix(strings.TrimLeft(lines[i], " -"), key+":") {
			return i + 1
		}
	}
	return best + 1
}

func innermostKey(field []any) string {
	for _, step := range slices.Backward(field) {
		if key, ok := step.(string); ok {
			return key
		}
	}
	return ""
}

// lastWord is the end of a name that a template makes: of {{ .Release.Name }}-api that is -api.
func lastWord(name string) string {
	if _, after, ok := strings.Cut(name, "}}"); ok {
		name = after
	}
	return strings.Trim(name, " \"'")
}
