package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// place names a field of an object in a file, or a text. A step of Field is a key, an index, or {"key": "value"} for the item of a list
// that has it. Where a step is not there (a patch made it), the place is the last one that is.
type place struct {
	Path  string `json:"path"`
	Kind  string `json:"kind,omitempty"`
	Name  string `json:"name,omitempty"`
	Field []any  `json:"field,omitempty"`
	Text  string `json:"text,omitempty"`

	Built *builtReference `json:"built,omitempty"` // the object, when somebody wants to know who set the field
}

// located is where a place is: Line is 0 where there is none.
type located struct {
	Line   int     `json:"line"`
	Setter *setter `json:"setter,omitempty"`
}

// locate finds each place, and what set the field where that is another one.
func (s *session) locate(places []place) []located {
	spots := make([]located, len(places))
	for i, wanted := range places {
		if content, err := s.readFile(wanted.Path); err == nil {
			spots[i].Line = wanted.line(content)
		}
	}
	s.addSetters(places, spots)
	return spots
}

// addSetters asks each build and each release once.
func (s *session) addSetters(places []place, spots []located) {
	type part struct {
		in *scope
		of *rendering
	}
	asked, questions := map[part][]int{}, map[part][]fieldOf{}
	for i, wanted := range places {
		if wanted.Built == nil || len(wanted.Field) == 0 {
			continue
		}
		in := s.scope(wanted.Built.Scope)
		of, index := in.part(wanted.Built.Owner, wanted.Built.Index)
		one := part{in, of}
		asked[one] = append(asked[one], i)
		questions[one] = append(questions[one], fieldOf{index, wanted.Field})
	}
	sideBySide(slices.Collect(maps.Keys(asked)), func(one part) struct{} {
		for n, found := range s.setters(one.in, one.of, questions[one]) {
			spots[asked[one][n]].Setter = found
		}
		return struct{}{}
	})
}

func (p place) line(content []byte) int {
	if p.Text != "" {
		return lineOfText(content, p.Text)
	}
	if object := p.object(content); object != nil {
		if _, kind := child(object, "kind"); isKustomizationFile(p.Path) && (kind == nil || kind.Value != p.Kind) {
			return p.generatorLine(object)
		}
		return descend(object, p.Field)
	}
	return p.templateLine(content)
}

// generatorLine is for what a kustomization file generates: the line that gives the key, or the one that names the object.
func (p place) generatorLine(kustomization *yaml.Node) int {
	best := kustomization
	for _, list := range []string{"configMapGenerator", "secretGenerator"} {
		for _, generator := range items(kustomization, list) {
			if key, name := child(generator, "name"); p.Kind+"Generator" == strings.ToUpper(list[:1])+list[1:] && name != nil && strings.Contains(p.Name, name.Value) {
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
		for _, item := range items(generator, list) {
			if name, _, named := strings.Cut(item.Value, "="); name == key || !named && path.Base(item.Value) == key {
				return item
			}
		}
	}
	return nil
}

var kindLine = regexp.MustCompile(`^kind:\s*["']?(\w+)`)

// templateLine is for templates, which are no YAML: the line that says the kind, or the first one after it with the innermost key of the
// field. Where a file makes several of the kind, it is the one whose next lines say the name, if any does.
func (p place) templateLine(content []byte) int {
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
		if key := p.innermost(); key != "" && strings.HasPrefix(strings.TrimLeft(lines[i], " -"), key+":") {
			return i + 1
		}
	}
	return best + 1
}

func (p place) innermost() string {
	for _, step := range slices.Backward(p.Field) {
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

func lineOfText(content []byte, text string) int {
	before, _, found := bytes.Cut(content, []byte(text))
	if !found {
		return 0
	}
	return 1 + bytes.Count(before, []byte("\n"))
}

// object finds the document; a name may have got a prefix or a namespace on its way, so the best match counts.
func (p place) object(content []byte) *yaml.Node {
	var best *yaml.Node
	bestScore := -1
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return best
		}
		if len(document.Content) == 0 {
			continue
		}
		if score := p.score(document.Content[0]); score > bestScore {
			best, bestScore = document.Content[0], score
		}
	}
}

func (p place) score(node *yaml.Node) int {
	score := 0
	if _, kind := child(node, "kind"); kind != nil && kind.Value == p.Kind {
		score += 2
	}
	_, metadata := child(node, "metadata")
	if _, name := child(metadata, "name"); name != nil && name.Value != "" && strings.Contains(p.Name, name.Value) {
		score++
		if name.Value == p.Name {
			score++
		}
	}
	return score
}

func descend(node *yaml.Node, steps []any) int {
	line := node.Line
	for _, step := range steps {
		key, next := follow(node, step)
		if next == nil {
			break
		}
		line, node = key.Line, next
	}
	return line
}

func follow(node *yaml.Node, step any) (key, value *yaml.Node) {
	switch step := step.(type) {
	case string:
		return child(node, step)
	case float64:
		if node.Kind == yaml.SequenceNode && int(step) < len(node.Content) {
			return node.Content[int(step)], node.Content[int(step)]
		}
	case map[string]any:
		for _, item := range node.Content {
			if hasAll(item, step) {
				return item, item
			}
		}
	}
	return nil, nil
}

func hasAll(node *yaml.Node, fields map[string]any) bool {
	for key, wanted := range fields {
		if _, value := child(node, key); value == nil || value.Value != fmt.Sprint(wanted) {
			return false
		}
	}
	return true
}

func child(node *yaml.Node, key string) (*yaml.Node, *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// syntaxError finds the first document of a file that is no YAML, with its line in the file.
func syntaxError(name string, content []byte) *failure {
	var node yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		err := decoder.Decode(&node)
		if err == nil {
			continue
		}
		var line int
		message := strings.TrimPrefix(err.Error(), "yaml: ")
		if _, failed := fmt.Sscanf(message, "line %d:", &line); failed == nil {
			_, message, _ = strings.Cut(message, ": ")
		}
		if message == "EOF" {
			return nil
		}
		return &failure{Kind: "yaml", Message: message, Path: path.Clean(name), Line: line}
	}
}

// duplicateKey finds the first key of a file that its mapping has already.
func duplicateKey(name string, content []byte) *failure {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return nil
		}
		if key := repeated(&document); key != nil {
			return &failure{Kind: "duplicate", Message: fmt.Sprintf("the key %s is there twice", key.Value), Path: path.Clean(name), Line: key.Line}
		}
	}
}

func repeated(node *yaml.Node) *yaml.Node {
	seen := map[string]bool{}
	for i, item := range node.Content {
		if isKey := node.Kind == yaml.MappingNode && i%2 == 0; isKey && item.Value != "<<" {
			if seen[item.Value] {
				return item
			}
			seen[item.Value] = true
		}
		if found := repeated(item); found != nil {
			return found
		}
	}
	return nil
}
