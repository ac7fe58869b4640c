package main

import (
	"encoding/json"
	"path"
)

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

// finder finds what sets fields of objects that were rendered from one repository.
type finder struct {
	repository *repository
	results    *results
}

// setters answers questions about one build, nil where the object's own file says it or where it is not certain.
func (s *finder) setters(in *scope, of *rendering, asked []fieldOf) []*setter {
	told := make([]*setter, len(asked))
	for i, each := range s.found(in, of, asked, 0) {
		if each != nil && each.Path != "" {
			told[i] = &setter{each.Path, each.Line, each.What}
		}
	}
	return told
}

func (s *finder) found(in *scope, of *rendering, asked []fieldOf, depth int) []*found {
	if of == nil || depth > deepest {
		return nil
	}
	answer, err := cachedCheck(s.results, "setters", jsonText(asked), []*rendering{of}, func() any { return experimentSetters(of, asked) })
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
func (s *finder) inParent(in *scope, of *rendering, told *found, depth int) *found {
	parent, index, origin := in.parent(of)
	if origin == "" {
		return nil
	}
	if above := s.found(in, parent, []fieldOf{{index, told.Field}}, depth+1); len(above) == 1 && above[0] != nil {
		return &found{above[0].Path, inside(above[0].Line, told.Inner, above[0].Block), told.What, nil, 0, above[0].Block}
	}
	content, err := s.repository.readFile(origin)
	if err != nil {
		return nil
	}
	object := findDocument(content, of.kind(), path.Base(of.owner))
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
