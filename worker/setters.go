package main

import (
	"encoding/json"
	"path"
	"reflect"

	"gopkg.in/yaml.v3"
	"sigs.k8s.io/kustomize/api/resource"
	kubeyaml "sigs.k8s.io/yaml"
)

// builtReference is an object of a scope: the one at Index of what the Kustomization Owner (namespace/name) renders, with its HelmReleases.
type builtReference struct {
	Scope string `json:"scope"`
	Owner string `json:"owner"`
	Index int    `json:"index"`
}

// setter is what set a field on the way from the object's own file to what Flux applies: a patch, or another setting of a kustomization file
// or of a HelmRelease.
type setter struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

// fieldOf is a question: who set the field of the object at Index?
type fieldOf struct {
	Index int   `json:"index"`
	Field []any `json:"field"`
}

// found is a setter as one build or release knows it. What the Kustomization or HelmRelease itself says has no place yet: Field leads to it in
// the object, Inner is the line in the text there, 0 for the field as such. Block says that what is at the line is a text that begins one line
// below.
type found struct {
	Path  string `json:"path,omitempty"`
	Line  int    `json:"line,omitempty"`
	What  string `json:"what"`
	Field []any  `json:"field,omitempty"`
	Inner int    `json:"inner,omitempty"`
	Block bool   `json:"block,omitempty"`
}

// Kustomizations that patch each other's patches end somewhere.
const deepest = 4

// setters answers questions about one build, nil where the object's own file says it or where it is not certain.
func (s *session) setters(in *scope, of *rendering, asked []fieldOf) []*setter {
	told := make([]*setter, len(asked))
	for i, each := range s.found(in, of, asked, 0) {
		if each != nil && each.Path != "" {
			told[i] = &setter{each.Path, each.Line, each.What}
		}
	}
	return told
}

func (s *session) found(in *scope, of *rendering, asked []fieldOf, depth int) []*found {
	if of == nil || depth > deepest {
		return nil
	}
	answer, err := s.verdict("setters", jsonOf(asked), []*rendering{of}, func() any { return of.setters(asked) })
	var all []*found
	if err != nil || json.Unmarshal(answer, &all) != nil {
		return nil
	}
	for i, each := range all {
		if each != nil && each.Path == "" {
			all[i] = s.inParent(in, of, each, depth)
		}
	}
	return all
}

// inParent finds the place of what the Kustomization or the HelmRelease says: in its own file, or in what its parent puts into it.
func (s *session) inParent(in *scope, of *rendering, told *found, depth int) *found {
	parent, index, origin := in.parent(of)
	if origin == "" {
		return nil
	}
	if above := s.found(in, parent, []fieldOf{{index, told.Field}}, depth+1); len(above) == 1 && above[0] != nil {
		return &found{above[0].Path, inside(above[0].Line, told.Inner, above[0].Block), told.What, nil, 0, above[0].Block}
	}
	content, err := s.readFile(origin)
	if err != nil {
		return nil
	}
	object := place{Kind: of.kind(), Name: path.Base(of.owner)}.object(content)
	key, value := reach(object, told.Field)
	if value == nil {
		return nil
	}
	return &found{origin, inside(key.Line, told.Inner, isBlock(value)), told.What, nil, 0, isBlock(value)}
}

// inside is the line of a text's own line inner, where the text stands at a line of its file.
func inside(line, inner int, block bool) int {
	if block {
		return line + inner
	}
	return line
}

func isBlock(node *yaml.Node) bool { return node.Style&yaml.LiteralStyle != 0 }

// setters runs experiments: what a build gives without a patch, or with another value in it, tells for certain what the patch does.
func (r *rendering) setters(asked []fieldOf) []*found {
	told := make([]*found, len(asked))
	laboratory := r.laboratory()
	for i, each := range asked {
		told[i] = laboratory.setter(each)
	}
	return told
}

// laboratory is one build or release: the object that asks for it, what gives its objects with other content in some files (the object's own
// goes by the name ”), and what its trials gave.
type laboratory struct {
	view     *view
	object   map[string]any
	settings settings
	try      func(files map[string][]byte) assembly
	usual    assembly
	trials   map[string]assembly
}

// The most objects that trials of one build may make: more would take seconds, and then nothing is said.
const mostTried = 20_000

func (r *rendering) laboratory() *laboratory {
	if w := r.release; w != nil {
		return &laboratory{view: w.view, object: w.object.Object, settings: w.settings(), try: w.tried, trials: map[string]assembly{}}
	}
	b := r.run.repeat()
	return &laboratory{view: b.view, object: b.kustomization.Object, settings: settingsOf(b), try: b.tried, trials: map[string]assembly{}}
}

func (l *laboratory) setter(asked fieldOf) *found {
	if told := l.commonMetadata(asked.Field); told != nil {
		return told
	}
	if len(l.settings) == 0 {
		return nil
	}
	if l.usual == nil {
		l.usual = l.tried(nil)
	}
	object := l.usual.object(asked.Index)
	if object == nil {
		return nil
	}
	value, depth := valueAt(object, asked.Field)
	if depth == len(asked.Field) && isScalar(value) {
		return l.last(func(s setting) guess { return s.sets }, asked, func(other map[string]any) bool {
			now, _ := valueAt(other, asked.Field)
			return !reflect.DeepEqual(now, value)
		})
	}
	if depth < len(asked.Field) {
		back := func(other map[string]any) bool { return isThere(other, asked.Field) }
		if told := l.last(func(s setting) guess { return s.removes }, asked, back); told != nil {
			return told
		}
	}
	return l.creator(fieldOf{asked.Index, asked.Field[:depth]})
}

// commonMetadata comes last, after everything else.
func (l *laboratory) commonMetadata(field []any) *found {
	if len(field) != 3 || field[0] != "metadata" {
		return nil
	}
	path := []any{"spec", "commonMetadata", field[1], field[2]}
	if !isThere(l.object, path) {
		return nil
	}
	return &found{What: "commonMetadata", Field: path}
}

// last is the last of the settings that makes a difference to the object all by itself.
func (l *laboratory) last(of func(setting) guess, asked fieldOf, differs func(map[string]any) bool) *found {
	edits := l.settings.guesses(of, l.usual.object(asked.Index), asked.Field)
	for i := len(edits) - 1; i >= 0; i-- {
		if object := l.trial(edits[i:i+1]).same(l.usual, asked.Index); object != nil && differs(object) {
			return edits[i].found(l.view)
		}
	}
	return nil
}

// creator is what first put the value there: without what comes after it, it stays, and without this one, too, it is gone.
func (l *laboratory) creator(asked fieldOf) *found {
	if len(asked.Field) == 0 {
		return nil
	}
	edits := l.settings.guesses(func(s setting) guess { return s.creates }, l.usual.object(asked.Index), asked.Field)
	gone := func(edits []*edit) bool {
		object := l.trial(edits).same(l.usual, asked.Index)
		return object != nil && !isThere(object, asked.Field)
	}
	if len(edits) > 1 && !gone(edits) {
		return nil
	}
	for i := len(edits) - 1; i >= 0; i-- {
		if gone(edits[i:]) {
			return edits[i].found(l.view)
		}
	}
	return nil
}

// trial builds with the edits made; an assembly without objects where that does not build.
func (l *laboratory) trial(edits []*edit) assembly {
	files, ok := edited(edits)
	if !ok {
		return nil
	}
	key := jsonOf(files)
	if l.trials[key] == nil {
		if len(l.trials)*len(l.usual) > mostTried {
			return nil
		}
		l.trials[key] = l.tried(files)
	}
	return l.trials[key]
}

// tried is never nil; what a library makes of a strange edit, a panic, says nothing.
func (l *laboratory) tried(files map[string][]byte) (made assembly) {
	made = assembly{}
	defer func() { _ = recover() }()
	return append(made, l.try(files)...)
}

// tried is what kustomize gives, before decryption and variables.
func (b *run) tried(files map[string][]byte) (made assembly) {
	again := b.repeat()
	for name, content := range files {
		if name != "" {
			_ = again.view.WriteFile(name, content)
		} else if again.kustomization.Object = objectOf(content); again.kustomization.Object == nil {
			return nil
		}
	}
	objects, _, err := again.assemble()
	if err != nil {
		return nil
	}
	for _, res := range objects.Resources() {
		made = append(made, &assembled{origin: originOf(res), content: res})
	}
	return made
}

// objectOf reads YAML with the types that Kubernetes copies.
func objectOf(content []byte) (object map[string]any) {
	if text, err := kubeyaml.YAMLToJSON(content); err == nil {
		_ = decodeJSON(text, &object)
	}
	return object
}

// assembly is the objects that an experiment gave, decoded when somebody asks for them.
type assembly []*assembled

type assembled struct {
	origin  string
	content any
	object  map[string]any
}

// object is the one at the index as plain values, nil where there is none.
func (a assembly) object(index int) map[string]any {
	if index < 0 || index >= len(a) {
		return nil
	}
	one := a[index]
	if one.object == nil {
		if content, err := json.Marshal(one.content); err == nil {
			_ = json.Unmarshal(content, &one.object)
		}
	}
	return one.object
}

// same is the object that is the usual one at the index, as long as as many objects come out in the same order.
func (a assembly) same(usual assembly, index int) map[string]any {
	if len(a) != len(usual) {
		return nil
	}
	object := a.object(index)
	if object == nil || object["kind"] != usual.object(index)["kind"] || a[index].origin != usual[index].origin {
		return nil
	}
	return object
}

func originOf(res *resource.Resource) string {
	origin, err := res.GetOrigin()
	if err != nil || origin == nil {
		return ""
	}
	return origin.Path + " " + origin.ConfiguredIn
}

// valueAt follows the steps as far as they go; it gives the value there and how many they were.
func valueAt(value any, steps []any) (any, int) {
	for depth, step := range steps {
		next, ok := stepInto(value, step)
		if !ok {
			return value, depth
		}
		value = next
	}
	return value, len(steps)
}

func stepInto(value, step any) (any, bool) {
	switch step := step.(type) {
	case string:
		fields, _ := value.(map[string]any)
		next, ok := fields[step]
		return next, ok
	case float64:
		if items, _ := value.([]any); int(step) < len(items) {
			return items[int(step)], true
		}
	case map[string]any:
		items, _ := value.([]any)
		for _, item := range items {
			if fields, ok := item.(map[string]any); ok && hasFields(fields, step) {
				return item, true
			}
		}
	}
	return nil, false
}

func hasFields(fields, wanted map[string]any) bool {
	for key, value := range wanted {
		if !reflect.DeepEqual(fields[key], value) {
			return false
		}
	}
	return true
}

func isThere(object map[string]any, field []any) bool {
	_, depth := valueAt(object, field)
	return depth == len(field)
}

func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any, nil:
		return false
	}
	return true
}
